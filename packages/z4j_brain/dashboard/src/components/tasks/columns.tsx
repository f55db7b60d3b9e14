import { createColumnHelper, tableFeatures } from "@tanstack/react-table";
import { Ago, Since } from "@/components/time";
import { StateBadge } from "@/components/ui/state-badge";
import type { TaskSummary } from "@/services/tasks";
import { cn } from "@/lib/cn";
import { duration } from "@/time/format";

export const taskFeatures = tableFeatures({});
const helper = createColumnHelper<typeof taskFeatures, TaskSummary>();

/** One width for the head and every row; the name takes what is left. */
export const TASK_GRID =
  "sm:grid sm:grid-cols-[104px_minmax(0,1fr)_minmax(72px,120px)_minmax(72px,150px)_34px_72px_76px_84px] sm:items-center sm:gap-x-3";

export const taskColumns = helper.columns([
  helper.accessor("state", {
    header: "State",
    cell: ({ getValue }) => <StateBadge state={getValue()} />,
  }),
  helper.accessor("name", {
    header: "Task",
    cell: ({ row }) => <TaskName task={row.original} />,
  }),
  helper.accessor("queue", {
    header: "Queue",
    cell: ({ getValue }) => <Quiet text={getValue()} />,
  }),
  helper.accessor("worker", {
    header: "Worker",
    cell: ({ getValue }) => <Quiet text={getValue()} />,
  }),
  helper.accessor("attempt", {
    header: "Try",
    cell: ({ getValue }) => <Attempt attempt={getValue()} />,
  }),
  helper.accessor("wait_ms", {
    header: "Wait",
    cell: ({ row }) => <Wait task={row.original} />,
  }),
  helper.accessor("run_ms", {
    header: "Run",
    cell: ({ row }) => <Run task={row.original} />,
  }),
  helper.accessor("first_at", {
    header: "Since",
    cell: ({ getValue }) => <Ago at={getValue()} className="text-ink-2" />,
  }),
]);

/** Columns with figures stand flush right. */
export const RIGHT = new Set(["attempt", "wait_ms", "run_ms", "first_at"]);

export function TaskName({ task }: { task: TaskSummary }) {
  return (
    <span className="flex min-w-0 items-baseline gap-2">
      <span className="mono truncate text-ink" title={task.name ?? task.task_id}>
        {task.name ?? task.task_id}
      </span>
      {task.exception_type && task.state !== "succeeded" && (
        <span className="min-w-0 flex-1 truncate text-xs text-bad" title={exceptionText(task)}>
          {exceptionText(task)}
        </span>
      )}
      {task.unknown_reason && (
        <span className="min-w-0 flex-1 truncate text-xs text-(--s)" data-s="unknown" title={task.unknown_reason}>
          {task.unknown_reason}
        </span>
      )}
    </span>
  );
}

export function exceptionText(task: Pick<TaskSummary, "exception_type" | "exception_message">): string {
  const { exception_type: type, exception_message: message } = task;
  return message ? `${type}: ${message}` : (type ?? "");
}

function Quiet({ text }: { text: string | null }) {
  return (
    <span className="block truncate text-ink-2" title={text ?? undefined}>
      {text ?? "–"}
    </span>
  );
}

/** Attempts count from 0; the first is the normal case and says nothing. */
function Attempt({ attempt }: { attempt: number }) {
  return <span className="num text-ink-2">{attempt > 0 ? attempt + 1 : ""}</span>;
}

export function Wait({ task }: { task: TaskSummary }) {
  const waits = task.state === "queued" || task.state === "received";
  const from = task.published_at ?? task.received_at;
  if (waits && task.wait_ms === null && from) {
    return <span className="text-(--s)" data-s="queued"><Since at={from} /></span>;
  }
  return <WaitTime of={task} className="text-ink-2" />;
}

const DOUBTFUL = "A clock is wrong: that of the worker, or of who published the task. See Workers.";

/** A wait, marked where it compares clocks that do not agree. */
export function WaitTime({ of, className }: { of: Pick<TaskSummary, "wait_ms" | "wait_doubtful">; className?: string }) {
  if (!of.wait_doubtful) return <span className={cn("num", className)}>{duration(of.wait_ms)}</span>;
  return (
    <span className="num text-warn" title={DOUBTFUL}>
      <span aria-hidden="true">≈ </span>
      {duration(of.wait_ms)}
      <span className="sr-only"> (doubtful)</span>
    </span>
  );
}

export function Run({ task }: { task: TaskSummary }) {
  if (task.state === "running" && task.started_at) {
    return <span className="text-(--s)" data-s="running"><Since at={task.started_at} /></span>;
  }
  return <span className="num">{duration(task.run_ms)}</span>;
}
