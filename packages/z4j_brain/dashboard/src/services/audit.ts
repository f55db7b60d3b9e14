import { infiniteQueryOptions } from "@tanstack/react-query";
import { query, request } from "./http";

export interface AuditActor {
  kind: string;
  id: string | null;
  name: string;
}

export interface AuditObject {
  kind: string;
  id: string | null;
  name: string;
}

export interface AuditEntry {
  number: number;
  at: string;
  actor: AuditActor;
  action: string;
  object: AuditObject;
  before: unknown;
  after: unknown;
  address: string | null;
  request_id: string | null;
}

export interface AuditList {
  items: AuditEntry[];
  next: string | null;
  count: number;
  count_capped: boolean;
}

export interface AuditVerified {
  intact: boolean;
  first: number;
  last: number;
  rows: number;
  whole: boolean;
  next: number | null;
  broken: { number: number; reason: string } | null;
  pruned: number | null;
}

/** What the page shows; each is exact, but an action may be its beginning up to a dot. */
export interface AuditFilter {
  actor?: string;
  action?: string;
  object?: string;
  /** What belongs to no project: for administrators of the server. */
  of?: "server";
}

/** The log of a project, or of the whole server. */
export type AuditPlace = { project: string } | "server";

const base = (place: AuditPlace) =>
  place === "server" ? "/instance/audit" : `/projects/${encodeURIComponent(place.project)}/audit`;

export const auditKeys = { lists: (place: AuditPlace) => ["audit", place] as const };

export function auditListQuery(place: AuditPlace, { of: _place, ...filter }: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: [...auditKeys.lists(place), filter] as const,
    queryFn: ({ pageParam, signal }) =>
      request<AuditList>(`${base(place)}${query({ ...filter, cursor: pageParam, limit: 100 })}`, {
        exact: true,
        signal,
      }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    staleTime: 5_000,
  });
}

export function verifyAudit(place: AuditPlace) {
  return request<AuditVerified>(`${base(place)}/verify`, { method: "POST", body: {} });
}
