import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { parseFilter } from "@/filter/language";
import { taskKey } from "@/live/coalescer";
import { useFeed, useLive } from "@/live/provider";
import { applyTasks, prepend, type TaskPages } from "@/live/task-list";
import { Throttle } from "@/live/throttle";
import { taskKeys, taskListQuery, type TaskSummary } from "@/services/tasks";

/** Beyond this, what the live feed puts on top would grow without end: look again instead. */
const LONGEST_LIVE_LIST = 1_500;

interface Options {
  project: string;
  q: string;
  paused: boolean;
  /** The list's top is in view, so new rows may come in without moving what is read. */
  atTop: boolean;
}

/** The tasks of a filter, kept true by the live feed; new ones wait in `held` while the list is
 * scrolled or paused. */
export function useTaskList({ project, q, paused, atTop }: Options) {
  const client = useQueryClient();
  const feed = useFeed();
  const key = useMemo(() => taskKeys.list(project, q), [project, q]);
  const filter = useMemo(() => parseFilter(q), [q]);
  const query = useInfiniteQuery(taskListQuery(project, q));
  const held = useRef(new Map<string, TaskSummary>());
  const [heldCount, setHeldCount] = useState(0);
  const arrivals = useRef(new Map<string, number>());
  const isFlowing = atTop && !paused;

  const lookAgain = useMemo(
    () =>
      new Throttle(1_000, () => {
        // Only the first page: a list of many pages would be fetched page by page.
        client.setQueryData<TaskPages>(key, (data) =>
          data && data.pages.length > 1
            ? { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) }
            : data,
        );
        void client.invalidateQueries({ queryKey: key, exact: true });
      }),
    [client, key],
  );
  useEffect(() => () => lookAgain.stop(), [lookAgain]);

  const forgetHeld = useCallback(() => {
    held.current.clear();
    setHeldCount(0);
  }, []);
  useEffect(forgetHeld, [forgetHeld, key]);

  const take = useCallback(
    (changes: readonly TaskSummary[]) => {
      const data = client.getQueryData<TaskPages>(key);
      if (!data) return;
      const { pages, fresh, unsure } = applyTasks(data, changes, filter, Date.now(), isFlowing);
      const next = isFlowing ? prepend(pages, fresh) : pages;
      if (isFlowing) for (const task of fresh) arrivals.current.set(taskKey(task), Date.now());
      else for (const task of fresh) held.current.set(taskKey(task), task);
      if (!paused && next !== data) client.setQueryData(key, next);
      setHeldCount(held.current.size);
      const isLong = (next.pages[0]?.items.length ?? 0) > LONGEST_LIVE_LIST;
      if (isFlowing && (unsure || isLong)) lookAgain.call();
    },
    [client, filter, isFlowing, key, lookAgain, paused],
  );

  useLive({
    batch: (batch) => {
      if (batch.tasks.length) take(batch.tasks);
      if (batch.many && isFlowing) lookAgain.call();
    },
    refresh: (offset, first) => {
      const shown = client.getQueryData<TaskPages>(key)?.pages[0]?.offset;
      if (!paused && (!first || (shown !== undefined && shown < offset))) lookAgain.call();
    },
  });

  // A snapshot may be older than what the feed told while it was on its way.
  const offset = query.data?.pages.at(-1)?.offset;
  useEffect(() => {
    if (offset !== undefined) {
      const missed = feed?.tasksSince(offset) ?? [];
      if (missed.length) take(missed);
    }
    // Only a new snapshot needs this; `take` changes more often.
  }, [feed, offset]);

  const showHeld = useCallback(() => {
    const fresh = [...held.current.values()];
    client.setQueryData<TaskPages>(key, (data) => (data ? prepend(data, fresh) : data));
    forgetHeld();
    lookAgain.call();
  }, [client, forgetHeld, key, lookAgain]);

  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const hasArrived = useCallback(
    (task: TaskSummary) => Date.now() - (arrivals.current.get(taskKey(task)) ?? 0) < 1_200,
    [],
  );
  return { query, rows, heldCount, showHeld, hasArrived, filter, first: query.data?.pages[0] };
}
