import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ago } from "@/components/time";
import { Fault } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { StateIcon } from "@/components/ui/state-badge";
import { useProject } from "@/hooks/use-project";
import { type IssueDetail, issueTasksQuery } from "@/services/issues";
import { cappedCount } from "@/time/format";

/** The tasks whose newest attempt ended in this issue. */
export function NewestTasks({ issue }: { issue: IssueDetail }) {
  const { project } = useProject();
  const tasks = useQuery(issueTasksQuery(project, issue.id));
  const items = tasks.data?.items ?? [];
  return (
    <Panel
      title="Newest tasks"
      aside={
        <Link
          to="/p/$project/tasks"
          params={{ project }}
          search={{ q: `issue:${issue.id}` }}
          className="text-accent underline underline-offset-2"
        >
          {tasks.data ? `All ${cappedCount(tasks.data.count, tasks.data.count_capped)}` : "All"}
        </Link>
      }
    >
      {tasks.error && <Fault error={tasks.error} retry={() => void tasks.refetch()} />}
      {tasks.data && items.length === 0 && (
        <p className="px-3 py-3 text-ink-3">None is left: they succeeded later, or were cleared away.</p>
      )}
      <ul data-testid="issue-tasks">
        {items.map((task) => (
          <li key={`${task.engine} ${task.task_id}`} className="border-b border-line/60 last:border-b-0">
            <Link
              to="/p/$project/tasks/$engine/$taskId"
              params={{ project, engine: task.engine, taskId: task.task_id }}
              className="flex h-7 items-center gap-3 px-3 hover:bg-hover focus-visible:-outline-offset-2"
            >
              <StateIcon state={task.state} />
              <span className="mono shrink-0 truncate" title={task.task_id}>
                {task.name ?? task.task_id}
              </span>
              <bdi className="min-w-0 flex-1 truncate text-xs text-ink-3">{task.exception_message}</bdi>
              <Ago at={task.ended_at ?? task.updated_at} className="text-xs text-ink-3" />
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
