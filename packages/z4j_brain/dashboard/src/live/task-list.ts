import type { InfiniteData } from "@tanstack/react-query";
import type { Filter } from "@/filter/language";
import { matches } from "@/filter/match";
import type { TaskPage, TaskSummary } from "@/services/tasks";
import { taskKey } from "./coalescer";

export type TaskPages = InfiniteData<TaskPage, string | null>;

export interface Applied {
  pages: TaskPages;
  /** Tasks that belong to the list and are not in it yet, newest first. */
  fresh: TaskSummary[];
  /** Some change could not be judged by the filter: look again. */
  unsure: boolean;
}

/** Later in the record; a late change must not undo a newer one. */
function isNewer(change: TaskSummary, known: TaskSummary): boolean {
  return change.updated_at >= known.updated_at;
}

/** Applies changed tasks to a list: known rows in place, those that left the filter dropped
 * (with `drop`), new ones returned. Pages without a change keep their identity. */
export function applyTasks(
  pages: TaskPages,
  changes: readonly TaskSummary[],
  filter: Filter,
  now: number,
  drop: boolean,
): Applied {
  const left = new Map(changes.map((task) => [taskKey(task), task]));
  let changed = false;
  const next = pages.pages.map((page) => {
    const items = updatePage(page.items, left, filter, now, drop);
    if (items === page.items) return page;
    changed = true;
    return { ...page, items };
  });
  const verdicts = [...left.values()].map((task) => ({ task, is: matches(filter, task, now) }));
  return {
    pages: changed ? { ...pages, pages: next } : pages,
    fresh: verdicts.filter(({ is }) => is === true).map(({ task }) => task).sort(newestFirst),
    unsure: verdicts.some(({ is }) => is === null),
  };
}

function updatePage(
  items: TaskSummary[],
  left: Map<string, TaskSummary>,
  filter: Filter,
  now: number,
  drop: boolean,
): TaskSummary[] {
  let result: TaskSummary[] | null = null;
  items.forEach((known, index) => {
    const key = taskKey(known);
    const change = left.get(key);
    if (!change) {
      result?.push(known);
      return;
    }
    left.delete(key);
    result ??= items.slice(0, index);
    const kept = isNewer(change, known) ? change : known;
    if (!drop || matches(filter, kept, now) !== false) result.push(kept);
  });
  return result ?? items;
}

/** The order of the list: by first sight, newest first. */
export function newestFirst(one: TaskSummary, other: TaskSummary): number {
  if (one.first_at !== other.first_at) return one.first_at < other.first_at ? 1 : -1;
  return one.task_id < other.task_id ? 1 : -1;
}

/** Puts new tasks on top of the first page. */
export function prepend(pages: TaskPages, fresh: readonly TaskSummary[]): TaskPages {
  const [first, ...rest] = pages.pages;
  if (!first || fresh.length === 0) return pages;
  const have = new Set(fresh.map(taskKey));
  const items = [...fresh, ...first.items.filter((task) => !have.has(taskKey(task)))];
  // New tasks nearly always belong on top, and then the sort finds nothing to do.
  items.sort(newestFirst);
  const page = { ...first, items, count: first.count + fresh.length };
  return { ...pages, pages: [page, ...rest] };
}
