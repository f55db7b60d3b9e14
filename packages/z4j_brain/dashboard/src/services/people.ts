import { queryOptions } from "@tanstack/react-query";
import { query, request } from "./http";
import type { Session } from "./session";

export const ROLES = ["viewer", "auditor", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface MemberView {
  user_id: string;
  email: string;
  name: string;
  role: Role;
  disabled: boolean;
}

export interface InvitationView {
  id: string;
  email: string;
  role: Role;
  invited_by: string;
  created_at: string;
  expires_at: string;
  void: boolean;
}

export interface AccountView {
  id: string;
  email: string;
  name: string;
  is_admin: boolean;
  projects: number;
  created_at: string;
  seen_at: string | null;
  disabled_at: string | null;
  has_password: boolean;
  has_identity: boolean;
}

export interface InvitationCheck {
  project: string;
  email: string;
  role: Role;
  has_account: boolean;
}

interface Page<T> {
  items: T[];
  next: string | null;
  count: number;
}

const base = (project: string) => `/projects/${encodeURIComponent(project)}`;
const member = (project: string, id: string) => `${base(project)}/members/${encodeURIComponent(id)}`;

export const peopleKeys = {
  members: (project: string) => ["members", project] as const,
  invitations: (project: string) => ["invitations", project] as const,
  accounts: ["accounts"] as const,
};

/** Every page of a list that people read whole. */
async function whole<T>(path: string, signal: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: Page<T> = await request(`${path}${query({ limit: 200, cursor })}`, { signal });
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}

export function membersQuery(project: string) {
  return queryOptions({
    queryKey: peopleKeys.members(project),
    queryFn: ({ signal }) => whole<MemberView>(`${base(project)}/members`, signal),
  });
}

export function invitationsQuery(project: string) {
  return queryOptions({
    queryKey: peopleKeys.invitations(project),
    queryFn: ({ signal }) => request<{ items: InvitationView[] }>(`${base(project)}/invitations`, { signal }),
  });
}

export const accountsQuery = queryOptions({
  queryKey: peopleKeys.accounts,
  queryFn: ({ signal }) => whole<AccountView>("/instance/users", signal),
});

export function changeRole(project: string, userId: string, role: Role) {
  return request<MemberView>(member(project, userId), { method: "PUT", body: { role } });
}

export function removeMember(project: string, userId: string) {
  return request<void>(member(project, userId), { method: "DELETE" });
}

/** The link is in the answer and nowhere else, ever. */
export function invite(project: string, form: { email: string; role: Role; valid_hours: number }) {
  return request<{ id: string; url: string }>(`${base(project)}/invitations`, { method: "POST", body: form });
}

export function withdraw(project: string, id: string) {
  return request<void>(`${base(project)}/invitations/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export function setDisabled(userId: string, disabled: boolean) {
  return request<AccountView>(`/instance/users/${encodeURIComponent(userId)}`, {
    method: "PUT",
    body: { disabled },
  });
}

export function checkInvitation(token: string) {
  return request<InvitationCheck>("/invitations/check", { method: "POST", body: { token } });
}

export function acceptInvitation(token: string) {
  return request<Session>("/invitations/accept", { method: "POST", body: { token } });
}

export function signUp(form: { token: string; name: string; password: string }) {
  return request<Session>("/invitations/sign-up", { method: "POST", body: form });
}
