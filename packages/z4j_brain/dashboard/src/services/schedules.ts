import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { ActionView } from "./actions";
import { type List, query, request } from "./http";
import type { TaskSummary } from "./tasks";

export const SCHEDULE_STATES = ["", "enabled", "paused", "missed", "gone"] as const;
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

/** One schedule as it was read at `as_of`. */
export interface ScheduleView {
  id: string;
  scheduler: string;
  store: string;
  engine: string;
  /** Its id in the store. */
  schedule: string;
  name: string;
  task: string | null;
  queue: string | null;
  timing: string;
  timezone: string | null;
  every_s: number | null;
  owner: "code" | "store";
  undone_by: string | null;
  enabled: boolean;
  last_run_at: string | null;
  next_run_at: string | null;
  runs: number | null;
  missed: boolean;
  misses: number;
  missed_at: string | null;
  drift_ms: number | null;
  first_seen: string;
  gone_at: string | null;
  as_of: string | null;
}

export interface ScheduleDetail {
  schedule: ScheduleView;
  arguments: unknown;
  values: unknown;
  hidden: string[];
  absent: Record<string, string>;
  runs: TaskSummary[];
}

export interface StoreView {
  scheduler: string;
  store: string;
  engine: string;
  reader: string | null;
  as_of: string | null;
  unread: boolean;
  error: string | null;
  known: number;
  total: number;
  due: number;
  actions: ActionView[];
  absent: { engine: string; name: string; reason: string }[];
}

export interface StoreList {
  items: StoreView[];
  offset: number;
}

export const scheduleKeys = {
  lists: (project: string) => ["schedules", project] as const,
  stores: (project: string) => ["schedulers", project] as const,
  detail: (project: string, id: string) => ["schedule", project, id] as const,
};

const base = (project: string) => `/projects/${encodeURIComponent(project)}`;

export function schedulesQuery(project: string, state: ScheduleState) {
  return infiniteQueryOptions({
    queryKey: [...scheduleKeys.lists(project), state],
    queryFn: ({ pageParam, signal }) =>
      request<List<ScheduleView>>(
        `${base(project)}/schedules${query({ state: state || undefined, cursor: pageParam || undefined, limit: 200 })}`,
        { signal },
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    staleTime: 2_000,
  });
}

export function scheduleQuery(project: string, id: string) {
  return queryOptions({
    queryKey: scheduleKeys.detail(project, id),
    queryFn: ({ signal }) =>
      request<ScheduleDetail>(`${base(project)}/schedules/${encodeURIComponent(id)}`, { exact: true, signal }),
    staleTime: 2_000,
    // Its runs are tasks, of which the feed does not say whose they are.
    refetchInterval: 10_000,
  });
}

export function storesQuery(project: string) {
  return queryOptions({
    queryKey: scheduleKeys.stores(project),
    queryFn: ({ signal }) => request<StoreList>(`${base(project)}/schedulers`, { signal }),
    staleTime: 2_000,
    // That a reader is gone is not told by the feed of schedules.
    refetchInterval: 15_000,
  });
}
