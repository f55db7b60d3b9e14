import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { type List, query, request } from "./http";
import type { TaskSummary } from "./tasks";

export const ISSUE_STATES = ["open", "resolved", "muted"] as const;
export type IssueState = (typeof ISSUE_STATES)[number];

export interface Decision {
  decision: IssueState;
  at: string;
  by: string;
  muted_until: string | null;
  muted_count: number | null;
}

export interface IssueSummary {
  id: string;
  state: IssueState;
  regressed: boolean;
  regressed_at: string | null;
  exception_type: string;
  title: string;
  message: string;
  count: number;
  retried: number;
  first_seen: string;
  last_seen: string;
  last_engine: string;
  last_task_id: string;
  last_name: string;
  last_queue: string;
  decision: Decision | null;
  spark: number[];
}

export interface IssueHour {
  at: string;
  failed: number;
  retried: number;
  partial?: boolean;
}

export interface IssuePlace {
  engine: string;
  name: string;
  queue: string;
}

export interface IssueDetail extends IssueSummary {
  stack: string;
  series: IssueHour[];
  places: IssuePlace[];
  decisions: Decision[];
  offset: number;
}

export interface IssueList extends List<IssueSummary> {
  counts: Record<IssueState, number>;
}

export interface NewDecision {
  decision: IssueState;
  for_s?: number | null;
  more?: number | null;
}

const PAGE = 100;
const NEWEST_TASKS = 20;
const base = (project: string) => `/projects/${encodeURIComponent(project)}/issues`;
const path = (project: string, id: string) => `${base(project)}/${encodeURIComponent(id)}`;

export const issueKeys = {
  lists: (project: string) => ["issues", project] as const,
  list: (project: string, state: IssueState, q: string) => ["issues", project, state, q] as const,
  detail: (project: string, id: string) => ["issue", project, id] as const,
  tasks: (project: string, id: string) => ["issue", project, id, "tasks"] as const,
};

export function issueListQuery(project: string, state: IssueState, q: string) {
  return infiniteQueryOptions({
    queryKey: issueKeys.list(project, state, q),
    queryFn: ({ pageParam, signal }) =>
      request<IssueList>(`${base(project)}${query({ state, q, cursor: pageParam, limit: PAGE })}`, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 5_000,
    // Mutes run out even when nothing happens.
    refetchInterval: 30_000,
  });
}

export function issueQuery(project: string, id: string) {
  return queryOptions({
    queryKey: issueKeys.detail(project, id),
    queryFn: ({ signal }) => request<IssueDetail>(path(project, id), { signal }),
    staleTime: 2_000,
    refetchInterval: 30_000,
  });
}

export function issueTasksQuery(project: string, id: string) {
  return queryOptions({
    queryKey: issueKeys.tasks(project, id),
    queryFn: ({ signal }) =>
      request<List<TaskSummary>>(
        `/projects/${encodeURIComponent(project)}/tasks${query({ q: `issue:${id}`, limit: NEWEST_TASKS })}`,
        { signal },
      ),
    staleTime: 2_000,
  });
}

export function decideIssue(project: string, id: string, body: NewDecision) {
  return request<IssueDetail>(`${path(project, id)}/decisions`, { method: "POST", body });
}
