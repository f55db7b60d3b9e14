import type { TreeTask } from "@/services/tasks";

export interface TreeRow {
  task: TreeTask;
  /** 0 for a task without a known parent. */
  depth: number;
}

/** Puts each task below its parent, siblings by first sight. What has no known parent stands on
 * top; of links in a circle the oldest task does. */
export function nest(tasks: readonly TreeTask[]): TreeRow[] {
  const known = new Map(tasks.map((task) => [task.task_id, task]));
  const sorted = [...known.values()].sort(bySight);
  const below = new Map<string | null, TreeTask[]>();
  for (const task of sorted) {
    const parent = task.parent_id !== null && known.has(task.parent_id) ? task.parent_id : null;
    const siblings = below.get(parent);
    if (siblings) siblings.push(task);
    else below.set(parent, [task]);
  }
  const rows: TreeRow[] = [];
  const placed = new Set<string>();
  const place = (top: TreeTask) => {
    const left: TreeRow[] = [{ task: top, depth: 0 }];
    for (let row = left.pop(); row; row = left.pop()) {
      if (placed.has(row.task.task_id)) continue;
      placed.add(row.task.task_id);
      rows.push(row);
      const { depth } = row;
      const children = below.get(row.task.task_id) ?? [];
      left.push(...children.map((task) => ({ task, depth: depth + 1 })).reverse());
    }
  };
  for (const task of below.get(null) ?? []) place(task);
  for (const task of sorted) place(task);
  return rows;
}

/** How many tasks are in each state, the most frequent first. */
export function tally(tasks: readonly TreeTask[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { state } of tasks) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
}

function bySight(one: TreeTask, other: TreeTask): number {
  if (one.first_at !== other.first_at) return one.first_at < other.first_at ? -1 : 1;
  return one.task_id < other.task_id ? -1 : 1;
}
