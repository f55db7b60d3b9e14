import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { stringifyExact } from "./exact-json";
import { type List, query, request } from "./http";

export type BulkState =
  | "preparing"
  | "canary"
  | "waiting"
  | "running"
  | "paused"
  | "aborting"
  | "aborted"
  | "done";
export const MEMBER_STATES = ["waiting", "sent", "succeeded", "failed", "expired", "skipped", "refused"] as const;
export type MemberState = (typeof MEMBER_STATES)[number];
export type BulkStep = "pause" | "resume" | "approve" | "abort";
export type BulkCounts = Record<MemberState, number>;

export interface Canary {
  percent: number;
  max_failed_percent: number;
  then: "go_on" | "wait";
  patience_s: number;
  size: number;
  passed: boolean;
}

export interface BulkRun {
  id: string;
  engine: string;
  action: string;
  params: unknown;
  filter: string;
  state: BulkState;
  note: string | null;
  rate: number;
  skip_retried: boolean;
  canary: Canary;
  matching: number;
  total: number;
  counts: BulkCounts;
  created_at: string;
  created_by: { id: string; email: string };
  started_at: string | null;
  ended_at: string | null;
}

export interface BulkMember {
  number: number;
  task_id: string;
  state: MemberState;
  command_id: string | null;
  made_task_id: string | null;
  made_state: string | null;
  reason: string | null;
  ended_at: string | null;
}

export interface BulkEstimate {
  matching: number;
  matching_capped: boolean;
  by_state: Record<string, number>;
  eligible: number;
  eligible_capped: boolean;
  looked_at: number;
  by_name: { name: string | null; count: number }[];
  names: number;
  retried: number;
  later_succeeded: number;
  alike: number;
  duration_s: number;
}

export interface NewBulkRun {
  action: string;
  engine: string;
  filter: string;
  params: unknown;
  rate: number;
  skip_retried: boolean;
  canary: Pick<Canary, "percent" | "max_failed_percent" | "then">;
}

type Members = { items: BulkMember[]; next: string | null; offset: number };

const ENDED: readonly BulkState[] = ["aborted", "done"];
const PAGE = 100;
const base = (project: string) => `/projects/${encodeURIComponent(project)}/bulk-runs`;
const path = (project: string, id: string) => `${base(project)}/${encodeURIComponent(id)}`;

export const isEnded = (run: BulkRun): boolean => ENDED.includes(run.state);

export const bulkKeys = {
  lists: (project: string) => ["bulk-runs", project] as const,
  detail: (project: string, id: string) => ["bulk-run", project, id] as const,
};

export function bulkRunsQuery(project: string) {
  return infiniteQueryOptions({
    queryKey: bulkKeys.lists(project),
    queryFn: ({ pageParam, signal }) =>
      request<List<BulkRun>>(`${base(project)}${query({ cursor: pageParam, limit: PAGE })}`, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 2_000,
  });
}

export function bulkRunQuery(project: string, id: string) {
  return queryOptions({
    queryKey: bulkKeys.detail(project, id),
    queryFn: ({ signal }) => request<BulkRun>(path(project, id), { signal }),
    // The live feed tells changes; this is the net below it.
    refetchInterval: (state) => (state.state.data && isEnded(state.state.data) ? false : 3_000),
  });
}

export function bulkMembersQuery(project: string, id: string, state: MemberState | null) {
  return infiniteQueryOptions({
    queryKey: [...bulkKeys.detail(project, id), "members", state] as const,
    queryFn: ({ pageParam, signal }) =>
      request<Members>(`${path(project, id)}/members${query({ state, cursor: pageParam, limit: PAGE })}`, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 2_000,
  });
}

export function bulkEstimateQuery(project: string, engine: string, action: string, filter: string) {
  return queryOptions({
    queryKey: ["bulk-estimate", project, engine, action, filter] as const,
    queryFn: ({ signal }) =>
      request<BulkEstimate>(`${base(project)}/estimate`, { method: "POST", body: { engine, action, filter }, signal }),
    // It tells of this moment; the next dialog asks anew.
    gcTime: 0,
    retry: false,
  });
}

/** `key` makes a repeated send the same run; use one per decision of the person. */
export function createBulkRun(project: string, run: NewBulkRun, key: string) {
  return request<BulkRun>(base(project), {
    method: "POST",
    json: stringifyExact(run),
    headers: { "Idempotency-Key": key },
  });
}

export function takeBulkStep(project: string, id: string, step: BulkStep) {
  return request<BulkRun>(`${path(project, id)}/steps`, { method: "POST", body: { step } });
}
