import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Exact } from "@/components/time";
import { CopyButton } from "@/components/ui/copy-button";
import { useProject } from "@/hooks/use-project";
import type { TaskDetail } from "@/services/tasks";
import { duration } from "@/time/format";
import { WaitTime } from "../tasks/columns";

/** What is known of a task beside its run, with the way to its relatives. */
export function Facts({ task }: { task: TaskDetail }) {
  return (
    <dl className="px-4 py-2">
      <Fact label="Id">
        <span className="flex items-center gap-1">
          <span className="mono min-w-0 text-[11px] break-all" data-testid="task-id">
            {task.task_id}
          </span>
          <CopyButton text={task.task_id} label="Copy the id" />
        </span>
      </Fact>
      <Fact label="Engine">{task.engine}</Fact>
      <Fact label="Queue">
        {task.queue && <Filtered q={`queue:${quoted(task.queue)}`}>{task.queue}</Filtered>}
      </Fact>
      <Fact label="Worker">
        {task.worker && <Filtered q={`worker:${quoted(task.worker)}`}>{task.worker}</Filtered>}
      </Fact>
      <Fact label="Priority">{task.priority}</Fact>
      <Fact label="Published">{task.published_at && <Exact at={task.published_at} />}</Fact>
      <Fact label="Not before">{task.eta && <Exact at={task.eta} />}</Fact>
      <Fact label="Started">{task.started_at && <Exact at={task.started_at} />}</Fact>
      <Fact label="Ended">{task.ended_at && <Exact at={task.ended_at} />}</Fact>
      <Fact label="Waited">{task.wait_ms !== null && <WaitTime of={task} />}</Fact>
      <Fact label="Ran">{task.run_ms !== null && <span className="num">{duration(task.run_ms)}</span>}</Fact>
      <Fact label="Seen alive">{task.alive_at && <Exact at={task.alive_at} />}</Fact>
      <Relatives task={task} />
    </dl>
  );
}

const quoted = (value: string): string => (/[\s,]/.test(value) ? `"${value}"` : value);

function Fact({ label, children }: { label: string; children: ReactNode }) {
  if (children === null || children === undefined || children === false) return null;
  return (
    <div className="grid min-h-6.5 grid-cols-[72px_minmax(0,1fr)] items-baseline gap-2 py-0.5">
      <dt className="text-xs text-ink-3">{label}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

function Filtered({ q, children }: { q: string; children: ReactNode }) {
  const { project } = useProject();
  return (
    <Link to="/p/$project/tasks" params={{ project }} search={{ q }} className="hover:text-accent hover:underline">
      {children}
    </Link>
  );
}

function Relatives({ task }: { task: TaskDetail }) {
  const isOwnRoot = task.root_id === task.task_id;
  return (
    <>
      <Fact label="Retry of">{task.retried_from && <TaskLink engine={task.engine} id={task.retried_from} />}</Fact>
      <Fact label="Retried as">
        {task.retried_as.length > 0 && (
          <span data-testid="retried-as" className="flex flex-col">
            {task.retried_as.map((id) => (
              <TaskLink key={id} engine={task.engine} id={id} />
            ))}
          </span>
        )}
      </Fact>
      <Fact label="Parent">{task.parent_id && <TaskLink engine={task.engine} id={task.parent_id} />}</Fact>
      <Fact label="Root">{task.root_id && !isOwnRoot && <TaskLink engine={task.engine} id={task.root_id} />}</Fact>
      <Fact label="Group">
        {task.group_id && <Filtered q={`group:${task.group_id}`}>all of the group</Filtered>}
      </Fact>
    </>
  );
}

function TaskLink({ engine, id }: { engine: string; id: string }) {
  const { project } = useProject();
  return (
    <Link
      to="/p/$project/tasks/$engine/$taskId"
      params={{ project, engine, taskId: id }}
      className="mono text-[11px] break-all text-accent hover:underline"
    >
      {id}
    </Link>
  );
}
