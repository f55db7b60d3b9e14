import { queryOptions } from "@tanstack/react-query";
import { request, requestAll } from "./http";

export interface TokenView {
  id: string;
  created_at: string;
  last_used_at: string | null;
  last_address: string | null;
  revoked_at: string | null;
  /** The set end of a token that was rotated. */
  expires_at: string | null;
}

export interface AgentView {
  id: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
  workers_online: number;
  first_task: { engine: string; task_id: string } | null;
  tokens: TokenView[];
}

const base = (project: string) => `/projects/${encodeURIComponent(project)}/agents`;

export const agentKeys = { list: (project: string) => ["agents", project] as const };

export function agentsQuery(project: string) {
  return queryOptions({
    queryKey: agentKeys.list(project),
    queryFn: ({ signal }) => requestAll<AgentView>(base(project), signal),
    staleTime: 5_000,
  });
}

/** The token is in the answer and nowhere else, ever. */
export function createAgent(project: string, name: string) {
  return request<{ agent: AgentView; token: string }>(base(project), {
    method: "POST",
    body: { name },
  });
}

export function mintToken(project: string, agentId: string) {
  return request<{ token: string; token_id: string }>(
    `${base(project)}/${encodeURIComponent(agentId)}/tokens`,
    { method: "POST", body: {} },
  );
}

/** A token in place of another one, which works for `overlapHours` more. */
export function rotateToken(project: string, agentId: string, tokenId: string, overlapHours: number) {
  return request<{ token: string; token_id: string }>(
    `${base(project)}/${encodeURIComponent(agentId)}/tokens/${encodeURIComponent(tokenId)}/rotate`,
    { method: "POST", body: { overlap_hours: overlapHours } },
  );
}

export function revokeAgent(project: string, agentId: string) {
  return request<void>(`${base(project)}/${encodeURIComponent(agentId)}`, { method: "DELETE" });
}

export function revokeToken(project: string, agentId: string, tokenId: string) {
  return request<void>(
    `${base(project)}/${encodeURIComponent(agentId)}/tokens/${encodeURIComponent(tokenId)}`,
    { method: "DELETE" },
  );
}
