import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";

export interface ProjectSummary {
  slug: string;
  name: string;
  created_at: string;
  members: number;
  agents: number;
  last_event_at: string | null;
}

export interface ProjectNamed {
  slug: string;
  name: string;
}

export interface TableView {
  name: string;
  rows: number;
  accuracy: "exact" | "estimate" | "at_least";
  bytes: number | null;
  kept_days: number | null;
}

export interface InstanceStatus {
  generated_at: string;
  version: string;
  database: string;
  migration: string | null;
  newest_migration: string;
  bytes: number;
  tables: TableView[];
  oldest_event_at: string | null;
  workers_online: number;
  leader: { replica: string; since: string } | null;
  is_this_replica_leader: boolean;
}

export interface SettingView {
  name: string;
  value: string;
  source: string;
  default: string;
  help: string;
}

export const instanceKeys = { projects: ["instance", "projects"] as const };

export const projectsQuery = queryOptions({
  queryKey: instanceKeys.projects,
  queryFn: ({ signal }) => request<{ items: ProjectSummary[] }>("/instance/projects", { signal }),
});

export const instanceQuery = queryOptions({
  queryKey: ["instance", "status"],
  queryFn: ({ signal }) => request<InstanceStatus>("/instance/status", { signal }),
});

export const settingsQuery = queryOptions({
  queryKey: ["instance", "settings"],
  queryFn: ({ signal }) => request<{ items: SettingView[] }>("/instance/settings", { signal }),
});

/** Without a slug the brain makes one from the name. */
export function createProject(form: { name: string; slug: string | null }) {
  return request<ProjectNamed>("/instance/projects", { method: "POST", body: form });
}

export function renameProject(project: string, name: string) {
  return request<ProjectNamed>(`/projects/${encodeURIComponent(project)}`, { method: "PATCH", body: { name } });
}
