import { cn } from "@/lib/cn";
import type { TaskDetail } from "@/services/tasks";
import { StateIcon } from "../ui/state-badge";

const PATH = ["queued", "received", "running"] as const;
const ENDS = ["succeeded", "failed", "cancelled", "rejected"] as const;

export interface Step {
  state: string;
  is: "passed" | "now" | "ahead" | "skipped";
}

/** The way of a task, left to right: what it passed, where it is, what may come. */
export function stepsOf(task: Pick<TaskDetail, "state" | "attempts" | "published_at" | "received_at" | "started_at">): Step[] {
  const seen = new Set<string>();
  if (task.published_at) seen.add("queued");
  if (task.received_at) seen.add("received");
  if (task.started_at) seen.add("running");
  for (const attempt of task.attempts) {
    if (attempt.published_at) seen.add("queued");
    if (attempt.received_at) seen.add("received");
    if (attempt.started_at) seen.add("running");
  }
  const hasEnded = (ENDS as readonly string[]).includes(task.state);
  const at = (PATH as readonly string[]).indexOf(task.state);
  const steps: Step[] = PATH.map((state, index) => {
    if (state === task.state) return { state, is: "now" };
    if (seen.has(state) && (at < 0 || index < at)) return { state, is: "passed" };
    return { state, is: hasEnded || index < at ? "skipped" : "ahead" };
  });
  const retried = task.attempts.some((attempt) => attempt.state === "retrying");
  if (retried || task.state === "retrying") {
    steps.push({ state: "retrying", is: task.state === "retrying" ? "now" : "passed" });
  }
  const end = hasEnded ? task.state : task.state === "unknown" ? "unknown" : null;
  steps.push(end ? { state: end, is: "now" } : { state: "succeeded", is: "ahead" });
  return steps;
}

export function StatePicture({ task }: { task: TaskDetail }) {
  const attempts = task.attempts.length;
  return (
    <ol aria-label="States of this task" className="flex flex-wrap items-center gap-y-2 px-3 py-3 sm:px-4">
      {stepsOf(task).map(({ state, is }, index) => (
        <li key={state} className="flex items-center" aria-current={is === "now" ? "step" : undefined}>
          {index > 0 && <span className={cn("mx-1 h-px w-3 sm:mx-1.5 sm:w-8", is === "ahead" || is === "skipped" ? "bg-line" : "bg-line-strong")} />}
          <span
            data-s={state}
            className={cn(
              "flex h-7 items-center gap-1.5 rounded-full border px-2.5 text-xs",
              is === "now" && "border-(--s) bg-[color-mix(in_oklch,var(--s)_10%,transparent)] font-semibold text-(--s)",
              is === "passed" && "border-line-strong text-ink-2",
              is === "ahead" && "border-dashed border-line-strong text-ink-3",
              is === "skipped" && "border-dashed border-line text-ink-3 line-through decoration-line-strong",
            )}
          >
            <StateIcon state={state} className={is === "now" || is === "passed" ? undefined : "text-ink-3"} />
            {is === "ahead" && state === "succeeded" ? "ends" : state}
            {state === "retrying" && attempts > 1 && <span className="num">×{attempts - 1}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
