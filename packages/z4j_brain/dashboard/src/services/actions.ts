import { queryOptions } from "@tanstack/react-query";
import type { Schema } from "@/schema/schema";
import { query, request } from "./http";

export type ActionTarget = "task" | "queue" | "worker" | "engine" | "schedule" | "scheduler";

export interface ActionView {
  engine: string;
  name: string;
  title: string;
  description: string;
  target: ActionTarget;
  destructive: boolean;
  permission: string;
  params_schema: Schema | null;
  result_schema: Schema | null;
  states: string[] | null;
}

export interface ActionsAnswer {
  items: ActionView[];
  absent: { engine: string; name: string; reason: string }[];
}

/** What online workers offer; with `worker`, the id of its row, what this very process does. */
export function actionsQuery(project: string, worker?: string) {
  return queryOptions({
    queryKey: worker === undefined ? ["actions", project] : ["actions", project, worker],
    queryFn: ({ signal }) =>
      request<ActionsAnswer>(`/projects/${encodeURIComponent(project)}/actions${query({ worker })}`, { signal }),
    staleTime: 15_000,
  });
}
