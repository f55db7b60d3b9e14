import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Icon } from "@/components/ui/icon";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { AgentView } from "@/services/agents";
import { onlineText, stepsOf } from "./progress";
import { useFollowedAgent } from "./use-followed-agent";

/** Turns green by itself, for this very agent and no other. */
export function Checklist({ agent }: { agent: AgentView }) {
  const { project } = useProject();
  const now = useFollowedAgent(agent);
  const steps = stepsOf(now);
  return (
    <ol aria-label="Progress" aria-live="polite" className="flex flex-col">
      <Step is="done" title="Token created">
        “{now.name}” is known to this server.
      </Step>
      <Step
        is={steps.agent}
        testId="agent-online"
        title={steps.agent === "done" ? `${now.name} is connected` : `Waiting for ${now.name} to connect`}
      >
        {steps.agent === "done" ? (
          onlineText(now)
        ) : (
          <>
            Run the block where your worker runs. Nothing after a minute? Run{" "}
            <code className="rounded-sm bg-code px-1">z4j-agent doctor</code> there; it says what is
            missing.
          </>
        )}
      </Step>
      <Step
        is={steps.task}
        title={steps.task === "done" ? "The first task is here" : "The first task"}
        last
      >
        {now.first_task ? (
          <Link
            to="/p/$project/tasks/$engine/$taskId"
            params={{ project, engine: now.first_task.engine, taskId: now.first_task.task_id }}
            data-testid="first-task"
            className="mono text-accent underline underline-offset-2"
          >
            {now.first_task.task_id}
          </Link>
        ) : (
          "Start any task in your application; it appears here by itself."
        )}
      </Step>
    </ol>
  );
}

interface StepProps {
  is: "done" | "now" | "later";
  title: string;
  last?: boolean;
  /** Put on the title once the step is done. */
  testId?: string;
  children: ReactNode;
}

function Step({ is, title, last, testId, children }: StepProps) {
  return (
    <li className="flex gap-3" data-step={is} aria-current={is === "now" ? "step" : undefined}>
      <div className="flex flex-col items-center">
        <span
          className={cn(
            "grid size-5 place-items-center rounded-full border",
            is === "done" && "border-good bg-good text-panel",
            is === "now" && "border-warn text-warn",
            is === "later" && "border-line-strong text-ink-3",
          )}
        >
          {is === "done" ? (
            <Icon name="check" className="size-3" />
          ) : (
            <span className={cn("size-1.5 rounded-full bg-current", is === "now" && "breathe")} />
          )}
        </span>
        {!last && <span className={cn("my-1 w-px flex-1", is === "done" ? "bg-good" : "bg-line-strong")} />}
      </div>
      <div className={cn("min-w-0", !last && "pb-4")}>
        <p
          data-testid={is === "done" ? testId : undefined}
          className={cn("font-medium", is === "done" && "text-good", is === "later" && "text-ink-3")}
        >
          {title}
        </p>
        <div className="text-ink-2">{children}</div>
      </div>
    </li>
  );
}
