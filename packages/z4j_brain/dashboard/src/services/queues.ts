import { queryOptions } from "@tanstack/react-query";
import { query, request } from "./http";

/** One queue as its broker told it at `as_of`; null is "cannot be told", never 0. */
export interface QueueView {
  engine: string;
  queue: string;
  broker: string | null;
  transport: string | null;
  waiting: number | null;
  unacked: number | null;
  as_of: string | null;
  stale: boolean;
  sampler: string | null;
  oldest_ms: number | null;
  oldest_by: "broker" | "record" | null;
  recorded_waiting: number;
  recorded_held: number;
  recorded_running: number;
  consumers: string[];
  consumer_count: number;
  broker_consumers: number | null;
  unconsumed: boolean;
  arrivals_per_min: number | null;
  completions_per_min: number;
  drain_s: number | null;
  spark: (number | null)[];
}

export interface QueueList {
  items: QueueView[];
  truncated: boolean;
  generated_at: string;
  sample_s: number;
}

/** One step of the course; null where nobody sampled. */
export interface QueuePoint {
  at: string;
  waiting: number | null;
  waiting_max: number | null;
  unacked: number | null;
  oldest_ms: number | null;
  arrivals: number;
  started: number;
  completions: number;
  /** The step that is still running. */
  partial?: boolean;
}

export interface QueueDetail {
  queue: QueueView;
  window: string;
  step_s: number;
  points: QueuePoint[];
  generated_at: string;
  sample_s: number;
}

export const WINDOWS = ["1h", "6h", "24h", "7d"] as const;
export type Window = (typeof WINDOWS)[number];

const POLL_MS = 5_000;

export function queuesQuery(project: string) {
  return queryOptions({
    queryKey: ["queues", project],
    queryFn: ({ signal }) =>
      request<QueueList>(`/projects/${encodeURIComponent(project)}/queues`, { signal }),
    staleTime: 2_000,
    refetchInterval: POLL_MS,
  });
}

export function queueQuery(project: string, engine: string, queue: string, broker: string, window: Window) {
  const path = [project, "queues", engine, queue].map(encodeURIComponent).join("/");
  return queryOptions({
    queryKey: ["queue", project, engine, queue, broker, window],
    queryFn: ({ signal }) =>
      request<QueueDetail>(`/projects/${path}${query({ broker: broker || undefined, window })}`, { signal }),
    staleTime: 2_000,
    refetchInterval: POLL_MS,
  });
}
