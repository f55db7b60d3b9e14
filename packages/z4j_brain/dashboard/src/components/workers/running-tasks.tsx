import { Link } from "@tanstack/react-router";
import { Since } from "@/components/time";
import { Panel } from "@/components/ui/panel";
import { StateIcon } from "@/components/ui/state-badge";
import { withValues } from "@/filter/language";
import { useProject } from "@/hooks/use-project";
import type { TaskSummary } from "@/services/tasks";
import type { WorkerDetail } from "@/services/workers";
import { count } from "@/time/format";

/** What it works on now, the longest first: that is the one somebody looks for. */
export function RunningTasks({ worker }: { worker: WorkerDetail }) {
  const { project } = useProject();
  const tasks = [...worker.running_tasks].sort(longestFirst);
  return (
    <Panel
      title={worker.online || tasks.length === 0 ? "Runs now" : "Was running when it went"}
      aside={
        <>
          <span className="num">{count(tasks.length)}</span>
          <Link
            to="/p/$project/tasks"
            params={{ project }}
            search={{ q: withValues("", "worker", [worker.worker_id]) }}
            className="text-accent underline underline-offset-2"
          >
            All its tasks
          </Link>
        </>
      }
    >
      {tasks.length === 0 ? (
        <p className="px-3 py-3 text-ink-3">Nothing runs in this process{worker.online ? " at this moment" : ""}.</p>
      ) : (
        <ul className="max-h-96 overflow-y-auto">
          {tasks.map((task) => (
            <li key={`${task.engine} ${task.task_id}`} className="border-b border-line/60 last:border-b-0">
              <Link
                to="/p/$project/tasks/$engine/$taskId"
                params={{ project, engine: task.engine, taskId: task.task_id }}
                className="flex h-7 items-center gap-3 px-3 hover:bg-hover focus-visible:-outline-offset-2"
              >
                <StateIcon state={task.state} />
                <span className="mono min-w-0 flex-1 truncate" title={task.task_id}>
                  {task.name ?? task.task_id}
                </span>
                <span className="max-w-32 truncate text-ink-2">{task.queue}</span>
                <span className="w-20 text-right text-(--s)" data-s="running">
                  {task.started_at ? <Since at={task.started_at} /> : "–"}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function longestFirst(one: TaskSummary, other: TaskSummary): number {
  return (one.started_at ?? "").localeCompare(other.started_at ?? "");
}
