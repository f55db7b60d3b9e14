import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";

export interface KeyView {
  id: string;
  name: string;
  owner: string;
  project: string | null;
  scopes: string[];
  networks: string[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  last_address: string | null;
}

export interface KeyForm {
  name: string;
  project: string | null;
  scopes: string[];
  networks: string[];
  expires_days: number | null;
}

const ofProject = (project: string) => `/projects/${encodeURIComponent(project)}/keys`;

export const keyKeys = { own: ["keys"] as const, project: (project: string) => ["keys", project] as const };

export const ownKeysQuery = queryOptions({
  queryKey: keyKeys.own,
  queryFn: ({ signal }) => request<{ items: KeyView[] }>("/keys", { signal }),
});

export function projectKeysQuery(project: string) {
  return queryOptions({
    queryKey: keyKeys.project(project),
    queryFn: ({ signal }) => request<{ items: KeyView[] }>(ofProject(project), { signal }),
  });
}

/** The key is in the answer and nowhere else, ever. */
export function createKey(form: KeyForm) {
  return request<{ id: string; key: string }>("/keys", { method: "POST", body: form });
}

/** Somebody else's key can be revoked through the project that it is bound to. */
export function revokeKey(key: KeyView, isOwn: boolean) {
  const base = isOwn || key.project === null ? "/keys" : ofProject(key.project);
  return request<void>(`${base}/${encodeURIComponent(key.id)}`, { method: "DELETE" });
}
