import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { JsonText } from "@/components/json-text";
import { Ago, Exact } from "@/components/time";
import { Dialog, DialogBody } from "@/components/ui/dialog";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { CommandView } from "@/services/commands";
import { buttonOf } from "../actions/labels";
import { COMMAND_TONES, CommandProgress } from "./command-progress";

/** What a command acted on, in words. */
export function objectOf(command: CommandView): string {
  const { task_id: task, queue, worker_id: worker, schedule } = command.target;
  return task ?? queue ?? schedule ?? worker ?? command.engine;
}

/** Who asked; what nobody did, the server asked by itself. */
export const askerOf = (command: CommandView): string => command.created_by?.email ?? "by z4j";

export const COMMAND_GRID =
  "grid grid-cols-[84px_minmax(0,1fr)_84px] sm:grid-cols-[96px_150px_minmax(0,1fr)_minmax(0,180px)_84px] items-center gap-x-3";

export function CommandRow({ command, compact = false }: { command: CommandView; compact?: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const { label } = buttonOf({ name: command.action, title: "" });
  const target = objectOf(command);
  return (
    <>
      <div
        role="row"
        tabIndex={0}
        data-command-id={command.id}
        data-state={command.state}
        onClick={() => setOpen(true)}
        onKeyDown={(event) => {
          if (event.key === "Enter") setOpen(true);
        }}
        className={cn(
          "min-h-7 cursor-pointer border-b border-line/60 px-4 hover:bg-hover focus-visible:-outline-offset-2",
          compact ? "grid grid-cols-[76px_minmax(0,1fr)_72px] items-center gap-x-2" : COMMAND_GRID,
        )}
      >
        <span role="cell" className={cn("font-medium", COMMAND_TONES[command.state])}>
          {command.state}
        </span>
        <span role="cell" className="truncate">{label}</span>
        {!compact && (
          <span role="cell" className="mono hidden truncate text-ink-2 sm:block" title={target}>
            {target}
          </span>
        )}
        {!compact && (
          <span role="cell" className="hidden truncate text-ink-2 sm:block">{askerOf(command)}</span>
        )}
        <span role="cell" className="text-right text-ink-3">
          <Ago at={command.created_at} />
        </span>
      </div>
      {isOpen && <CommandDialog command={command} onClose={() => setOpen(false)} />}
    </>
  );
}

function CommandDialog({ command, onClose }: { command: CommandView; onClose: () => void }) {
  const { project } = useProject();
  const { task_id: taskId } = command.target;
  return (
    <Dialog open onClose={onClose} title={buttonOf({ name: command.action, title: "" }).label}>
      <DialogBody>
        <CommandProgress command={command} onLeave={onClose} />
        <dl className="grid grid-cols-[84px_minmax(0,1fr)] gap-y-1">
          <dt className="text-ink-3">On</dt>
          <dd className="mono break-all">
            {taskId ? (
              <Link
                to="/p/$project/tasks/$engine/$taskId"
                params={{ project, engine: command.engine, taskId }}
                onClick={onClose}
                className="text-accent underline"
              >
                {taskId}
              </Link>
            ) : (
              objectOf(command)
            )}
          </dd>
          <dt className="text-ink-3">Asked by</dt>
          <dd>{askerOf(command)}</dd>
          {command.bulk_run && (
            <>
              <dt className="text-ink-3">Part of</dt>
              <dd>
                <Link to="/p/$project/bulk/$id" params={{ project, id: command.bulk_run }} className="text-accent underline">
                  a bulk run
                </Link>
              </dd>
            </>
          )}
          <dt className="text-ink-3">Asked at</dt>
          <dd><Exact at={command.created_at} /></dd>
          <dt className="text-ink-3">Sent at</dt>
          <dd><Exact at={command.sent_at} /></dd>
          <dt className="text-ink-3">Ended at</dt>
          <dd><Exact at={command.ended_at} /></dd>
        </dl>
        <JsonText value={command.params ?? {}} />
      </DialogBody>
    </Dialog>
  );
}
