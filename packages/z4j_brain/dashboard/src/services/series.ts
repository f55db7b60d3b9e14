import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";

export const RANGES = ["1h", "24h", "7d", "30d"] as const;
export type Range = (typeof RANGES)[number];

const HOUR_MS = 3_600_000;
const LENGTH_MS: Record<Range, number> = {
  "1h": HOUR_MS,
  "24h": 24 * HOUR_MS,
  "7d": 7 * 24 * HOUR_MS,
  "30d": 30 * 24 * HOUR_MS,
};

/** Percentiles in milliseconds. */
export interface Durations {
  p50: number;
  p95: number;
  p99: number;
}

export interface Figures {
  published: number;
  started: number;
  succeeded: number;
  failed: number;
  retried: number;
  cancelled: number;
  rejected: number;
  wait_ms: Durations | null;
  run_ms: Durations | null;
}

export interface Point extends Figures {
  at: string;
  /** The bucket still runs, or is not summarised yet. */
  partial: boolean;
}

export interface Group {
  engine: string | null;
  queue: string | null;
  name: string | null;
  other: boolean;
  ended: number;
  total: Figures;
}

export type Resolution = "minute" | "hour" | "day";

export interface Series {
  from: string;
  to: string;
  resolution: Resolution;
  groups: (Group & { points: Point[] })[];
  others: number;
}

export interface Totals {
  from: string;
  to: string;
  resolution: Resolution;
  groups: Group[];
  others: number;
}

/** The whole project over a range until now. */
export function seriesQuery(project: string, range: Range) {
  return queryOptions({
    queryKey: ["series", project, range],
    queryFn: ({ signal }) => request<Series>(path(project, "series", range), { signal }),
    ...freshness(range),
  });
}

/** The figures of each queue or task name over a range until now. */
export function totalsQuery(project: string, range: Range, groupBy: "queue" | "name") {
  return queryOptions({
    queryKey: ["totals", project, range, groupBy],
    queryFn: ({ signal }) =>
      request<Totals>(`${path(project, "totals", range)}&group_by=${groupBy}&top=500`, { signal }),
    ...freshness(range),
  });
}

function path(project: string, what: "series" | "totals", range: Range): string {
  return `/projects/${encodeURIComponent(project)}/${what}?from=${beginning(range, Date.now())}`;
}

/** A bucket less than the range from its start on, so that an hour has sixty minutes, a day 24 hours. */
export function beginning(range: Range, now: number): string {
  const step = range === "1h" ? 60_000 : range === "30d" ? 24 * HOUR_MS : HOUR_MS;
  return new Date(now - LENGTH_MS[range] + step).toISOString();
}

function freshness(range: Range) {
  return { staleTime: 2_000, refetchInterval: range === "1h" ? 10_000 : 60_000 };
}

/** What the address says, an hour unless it is one of the ranges. */
export function validateRange(search: Record<string, unknown>): { range?: Range } {
  const range = RANGES.find((one) => one === search.range);
  return range && range !== "1h" ? { range } : {};
}
