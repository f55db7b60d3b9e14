import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { stringifyExact } from "./exact-json";
import { type List, query, request } from "./http";

export type CommandState = "pending" | "sent" | "succeeded" | "failed" | "expired" | "refused";
export const FINAL_STATES: readonly CommandState[] = ["succeeded", "failed", "expired", "refused"];

export interface CommandTarget {
  task_id?: string | null;
  queue?: string | null;
  worker_id?: string | null;
  schedule?: string | null;
  store?: string | null;
}

export interface CommandView {
  id: string;
  action: string;
  engine: string;
  target: CommandTarget;
  params: unknown;
  state: CommandState;
  created_at: string;
  sent_at: string | null;
  ended_at: string | null;
  deadline: string | null;
  created_by: { id: string; email: string } | null;
  result: unknown;
  error: string | null;
  worker: string | null;
  /** The bulk run that it belongs to. */
  bulk_run: string | null;
}

export interface CommandRequest {
  action: string;
  engine: string;
  params: unknown;
  target: CommandTarget;
}

const base = (project: string) => `/projects/${encodeURIComponent(project)}/commands`;

export const commandKeys = {
  lists: (project: string) => ["commands", project] as const,
  list: (project: string, taskId: string | null) => ["commands", project, taskId] as const,
  detail: (project: string, id: string) => ["command", project, id] as const,
};

export const isFinal = (command: CommandView): boolean => FINAL_STATES.includes(command.state);

export function commandsQuery(project: string, taskId: string | null = null) {
  return infiniteQueryOptions({
    queryKey: commandKeys.list(project, taskId),
    queryFn: ({ pageParam, signal }) =>
      request<List<CommandView>>(`${base(project)}${query({ task_id: taskId, cursor: pageParam, limit: 100 })}`, {
        exact: true,
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 2_000,
  });
}

export function commandQuery(project: string, id: string) {
  return queryOptions({
    queryKey: commandKeys.detail(project, id),
    queryFn: ({ signal }) =>
      request<CommandView>(`${base(project)}/${encodeURIComponent(id)}`, { exact: true, signal }),
    // The live feed tells changes; this is the net below it.
    refetchInterval: (state) => (state.state.data && isFinal(state.state.data) ? false : 1_500),
  });
}

/** `key` makes a repeated send the same command; use one per decision of the person. */
export function sendCommand(project: string, command: CommandRequest, key: string) {
  return request<CommandView>(base(project), {
    method: "POST",
    json: stringifyExact(command),
    headers: { "Idempotency-Key": key },
    exact: true,
  });
}
