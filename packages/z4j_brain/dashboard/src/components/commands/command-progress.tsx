import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { JsonText } from "@/components/json-text";
import { Since } from "@/components/time";
import { Icon } from "@/components/ui/icon";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { isObject } from "@/schema/schema";
import { commandQuery, type CommandState, type CommandView, isFinal } from "@/services/commands";
import { duration } from "@/time/format";

const WORDS: Record<CommandState, string> = {
  pending: "Waiting for a worker that can do it",
  sent: "Sent; the worker is at it",
  succeeded: "Done",
  failed: "It failed",
  expired: "Nobody took it in time",
  refused: "The worker refused it",
};

export const COMMAND_TONES: Record<CommandState, string> = {
  pending: "text-ink-2",
  sent: "text-[var(--s-running)]",
  succeeded: "text-good",
  failed: "text-bad",
  expired: "text-warn",
  refused: "text-bad",
};

/** Follows one command to its end; a retry links to the task that it made. */
export function CommandProgress({ command, onLeave }: { command: CommandView; onLeave?: () => void }) {
  const { project } = useProject();
  const followed = useQuery({ ...commandQuery(project, command.id), initialData: command });
  const now = followed.data;
  return (
    <div
      role="status"
      data-testid="command-state"
      data-state={now.state}
      data-command-id={now.id}
      className="rounded-md border border-line bg-sunken px-3 py-2"
    >
      <div className={cn("flex items-center gap-2 font-medium", COMMAND_TONES[now.state])}>
        <Sign state={now.state} />
        {WORDS[now.state]}
        <span className="ml-auto text-xs font-normal text-ink-3">
          {isFinal(now) && now.ended_at ? (
            duration(Date.parse(now.ended_at) - Date.parse(now.created_at))
          ) : (
            <Since at={now.created_at} />
          )}
        </span>
      </div>
      {now.worker && <p className="text-xs text-ink-3">by {now.worker}</p>}
      {now.error && <p className="mt-1 break-words text-ink">{now.error}</p>}
      <CommandResult command={now} onLeave={onLeave} />
    </div>
  );
}

function Sign({ state }: { state: CommandState }) {
  if (state === "succeeded") return <Icon name="check" />;
  if (state === "pending" || state === "sent") {
    return <span className="breathe mx-1 size-2 rounded-full bg-current" />;
  }
  return <Icon name="alert" />;
}

/** The id of the task that a command made, if it made one. */
export function madeTask(command: CommandView): string | null {
  const { result, target } = command;
  if (!isObject(result) || typeof result.task_id !== "string") return null;
  return result.task_id === target.task_id ? null : result.task_id;
}

export function CommandResult({ command, onLeave }: { command: CommandView; onLeave?: () => void }) {
  const { project } = useProject();
  const taskId = madeTask(command);
  if (taskId) {
    return (
      <p className="mt-1">
        New task{" "}
        <Link
          to="/p/$project/tasks/$engine/$taskId"
          params={{ project, engine: command.engine, taskId }}
          onClick={onLeave}
          data-testid="new-task"
          className="mono text-accent underline underline-offset-2"
        >
          {taskId}
        </Link>
      </p>
    );
  }
  if (command.result === null || command.result === undefined) return null;
  return <JsonText value={command.result} className="mt-1" />;
}
