import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import type { IssueSummary } from "./issues";
import type { TaskState } from "./tasks";

export interface Bucket {
  at: string;
  succeeded: number;
  failed: number;
  retried: number;
  cancelled: number;
  started: number;
  /** The minute that is still running; its figures will grow. */
  partial?: boolean;
}

export interface QueueRow {
  engine: string;
  queue: string;
  waiting: number;
  running: number;
  succeeded: number;
  failed: number;
  wait_p50_ms: number | null;
  wait_p95_ms: number | null;
  run_p50_ms: number | null;
  run_p95_ms: number | null;
  spark: number[];
}

export interface Notice {
  kind: string;
  level: string;
  text: string;
  since: string | null;
}

export interface Overview {
  offset: number;
  generated_at: string;
  window_s: number;
  totals: Record<Exclude<TaskState, "unknown">, number>;
  now: {
    workers_online: number;
    workers_lost: number;
    agents: number;
    lag_ms: number | null;
    last_event_at: string | null;
  };
  series: Bucket[];
  queues: QueueRow[];
  /** The open ones that failed in the window, the most urgent first. */
  issues: IssueSummary[];
  notices: Notice[];
}

export function overviewQuery(project: string) {
  return queryOptions({
    queryKey: ["overview", project],
    queryFn: ({ signal }) =>
      request<Overview>(`/projects/${encodeURIComponent(project)}/overview`, { signal }),
    staleTime: 2_000,
    // Windows slide even when nothing happens.
    refetchInterval: 20_000,
  });
}
