import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { type List, query, request } from "./http";

export const TASK_STATES = [
  "queued",
  "received",
  "running",
  "retrying",
  "succeeded",
  "failed",
  "cancelled",
  "rejected",
  "unknown",
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Times are RFC 3339 with microseconds, or null where nobody told them. */
export interface TaskSummary {
  engine: string;
  task_id: string;
  name: string | null;
  queue: string | null;
  state: TaskState;
  attempt: number;
  worker: string | null;
  first_at: string;
  published_at: string | null;
  received_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  eta: string | null;
  wait_ms: number | null;
  /** The wait compares clocks of which one is wrong. */
  wait_doubtful: boolean;
  run_ms: number | null;
  exception_type: string | null;
  exception_message: string | null;
  /** The issue that the newest attempt belongs to, if it failed. */
  issue: string | null;
  retried_from: string | null;
  /** Both only while the state is unknown. */
  unknown_since: string | null;
  unknown_reason: string | null;
  updated_at: string;
}

export interface Attempt {
  /** From 0. */
  attempt: number;
  state: TaskState;
  published_at: string | null;
  received_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  wait_ms: number | null;
  wait_doubtful: boolean;
  run_ms: number | null;
  worker: string | null;
  exception_type: string | null;
  exception_message: string | null;
  traceback: string | null;
  retry_at: string | null;
  reason: string | null;
}

export interface TaskAction {
  name: string;
  allowed: boolean;
  reason: string | null;
}

export interface TaskDetail extends TaskSummary {
  args: unknown;
  kwargs: unknown;
  exact: boolean;
  result: unknown;
  traceback: string | null;
  parent_id: string | null;
  root_id: string | null;
  group_id: string | null;
  priority: number | null;
  retried_as: string[];
  attempts: Attempt[];
  actions: TaskAction[];
  /** When a worker last said, being asked by the server, that it holds the task. */
  alive_at: string | null;
  exact_retry: ExactRetry;
  offset: number;
}

/** Where a retry would take the real arguments from, in words. */
export interface ExactRetry {
  source: "record" | "sealed" | "none";
  text: string;
  /** The key that they are sealed with; only agents have it. */
  key_id: string | null;
  can_be_opened: boolean;
}

export interface EventView {
  kind: string;
  attempt: number;
  occurred_at: string;
  received_at: string;
  worker: string | null;
  queue: string | null;
  name: string | null;
  payload: Record<string, unknown>;
}

/** A task of a workflow; its parent may be one that the record does not have any more. */
export interface TreeTask {
  task_id: string;
  parent_id: string | null;
  group_id: string | null;
  name: string | null;
  state: TaskState;
  attempt: number;
  first_at: string;
  ended_at: string | null;
  run_ms: number | null;
}

/** A page of a workflow, oldest first; `path` leads down to the task that was asked for. */
export interface TaskTree {
  path: TreeTask[];
  items: TreeTask[];
  next: string | null;
}

export type TaskPage = List<TaskSummary>;

const PAGE = 100;

export function taskPath(project: string, engine: string, taskId: string): string {
  return `/projects/${encodeURIComponent(project)}/tasks/${encodeURIComponent(engine)}/${encodeURIComponent(taskId)}`;
}

export const taskKeys = {
  lists: (project: string) => ["tasks", project] as const,
  list: (project: string, q: string) => ["tasks", project, q] as const,
  detail: (project: string, engine: string, id: string) => ["task", project, engine, id] as const,
  tree: (project: string, engine: string, id: string) => ["task-tree", project, engine, id] as const,
  events: (project: string, engine: string, id: string) =>
    ["task-events", project, engine, id] as const,
};

export function taskListQuery(project: string, q: string) {
  return infiniteQueryOptions({
    queryKey: taskKeys.list(project, q),
    queryFn: ({ pageParam, signal }) =>
      request<TaskPage>(
        `/projects/${encodeURIComponent(project)}/tasks${query({ q, cursor: pageParam, limit: PAGE })}`,
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 10_000,
  });
}

export function taskQuery(project: string, engine: string, taskId: string) {
  return queryOptions({
    queryKey: taskKeys.detail(project, engine, taskId),
    queryFn: ({ signal }) =>
      request<TaskDetail>(taskPath(project, engine, taskId), { exact: true, signal }),
    staleTime: 2_000,
  });
}

export function taskEventsQuery(project: string, engine: string, taskId: string) {
  return queryOptions({
    queryKey: taskKeys.events(project, engine, taskId),
    queryFn: ({ signal }) =>
      request<{ items: EventView[]; truncated?: boolean }>(
        `${taskPath(project, engine, taskId)}/events`,
        { exact: true, signal },
      ),
    staleTime: 2_000,
  });
}

export function taskTreeQuery(project: string, engine: string, taskId: string) {
  return infiniteQueryOptions({
    queryKey: taskKeys.tree(project, engine, taskId),
    queryFn: ({ pageParam, signal }) =>
      request<TaskTree>(
        `${taskPath(project, engine, taskId)}/tree${query({ cursor: pageParam, limit: PAGE })}`,
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 2_000,
  });
}
