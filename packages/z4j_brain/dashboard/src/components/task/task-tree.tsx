import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { Button } from "@/components/ui/button";
import { Panel } from "@/components/ui/panel";
import { StateIcon } from "@/components/ui/state-badge";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { useLive } from "@/live/provider";
import { Refetching } from "@/live/refetching";
import { type TaskDetail, taskKeys, taskTreeQuery, type TreeTask } from "@/services/tasks";
import { count, duration } from "@/time/format";
import { nest, tally, type TreeRow } from "./tree";

const DEEPEST = 10;
const STEP_REM = 1;

/** The workflow that a task belongs to, with the state of each of its tasks; nothing for a task
 * that stands alone. */
export function TaskTree({ task }: { task: TaskDetail }) {
  const { project } = useProject();
  const tree = useInfiniteQuery(taskTreeQuery(project, task.engine, task.task_id));
  const tasks = useMemo(
    () => tree.data?.pages.flatMap(({ path, items }) => [...path, ...items]) ?? [],
    [tree.data],
  );
  const rows = useMemo(() => nest(tasks), [tasks]);
  useChanges(task, tasks);
  if (rows.length < 2) return null;
  return (
    <Panel title="Workflow" aside={<Tally tasks={rows.map((row) => row.task)} isWhole={!tree.hasNextPage} />}>
      <ul data-testid="tree" className="max-h-96 overflow-y-auto py-1">
        {rows.map((row) => (
          <Row key={row.task.task_id} row={row} engine={task.engine} isHere={row.task.task_id === task.task_id} />
        ))}
      </ul>
      {tree.hasNextPage && (
        <div className="border-t border-line p-2">
          <Button onClick={() => void tree.fetchNextPage()} disabled={tree.isFetchingNextPage}>
            Show more of it
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Row({ row: { task, depth }, engine, isHere }: { row: TreeRow; engine: string; isHere: boolean }) {
  const { project } = useProject();
  return (
    <li>
      <Link
        to="/p/$project/tasks/$engine/$taskId"
        params={{ project, engine, taskId: task.task_id }}
        aria-current={isHere ? "page" : undefined}
        data-state={task.state}
        data-depth={depth}
        title={task.task_id}
        style={{ paddingLeft: `${0.75 + Math.min(depth, DEEPEST) * STEP_REM}rem` }}
        className={cn(
          "flex min-h-7 items-center gap-2 pr-3 hover:bg-hover focus-visible:-outline-offset-2",
          isHere && "bg-sunken font-semibold",
        )}
      >
        <StateIcon state={task.state} />
        <span className="mono min-w-0 flex-1 truncate">{task.name ?? task.task_id}</span>
        {task.group_id && <span className="text-xs font-normal text-ink-3">group</span>}
        <span className="num w-16 text-right text-xs font-normal text-ink-3">
          {task.run_ms === null ? task.state : duration(task.run_ms)}
        </span>
      </Link>
    </li>
  );
}

function Tally({ tasks, isWhole }: { tasks: TreeTask[]; isWhole: boolean }) {
  return (
    <span className="flex flex-wrap justify-end gap-x-2">
      {tally(tasks).map(([state, number]) => (
        <span key={state} className="flex items-center gap-1 whitespace-nowrap">
          <StateIcon state={state} />
          {count(number)} {state}
        </span>
      ))}
      {!isWhole && <span>of those shown</span>}
    </span>
  );
}

/** A task of the tree has changed, or may have published another one. */
function useChanges(task: TaskDetail, tasks: TreeTask[]): void {
  const { project } = useProject();
  const client = useQueryClient();
  const look = useMemo(() => new Refetching(client, 2_000), [client]);
  useEffect(() => () => look.stop(), [look]);
  useLive({
    batch: (batch) => {
      const isOpen = tasks.some(({ ended_at }) => ended_at === null);
      const isOurs = batch.tasks.some(({ task_id }) => tasks.some((known) => known.task_id === task_id));
      if (batch.many || isOpen || isOurs) look.call(taskKeys.tree(project, task.engine, task.task_id));
    },
    refresh: () => look.call(taskKeys.tree(project, task.engine, task.task_id)),
  });
}
