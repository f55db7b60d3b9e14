import { queryOptions } from "@tanstack/react-query";
import type { Schema } from "@/schema/schema";
import { request } from "./http";

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

export function actionsQuery(project: string) {
  return queryOptions({
    queryKey: ["actions", project],
    queryFn: ({ signal }) =>
      request<ActionsAnswer>(`/projects/${encodeURIComponent(project)}/actions`, { signal }),
    staleTime: 15_000,
  });
}
