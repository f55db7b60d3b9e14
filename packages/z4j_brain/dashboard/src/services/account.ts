import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { remember, type Session } from "./session";

export interface OwnSession {
  id: string;
  is_current: boolean;
  created_at: string;
  seen_at: string;
  expires_at: string;
  address: string | null;
  user_agent: string | null;
}

export interface SecondFactor {
  is_on: boolean;
  since: string | null;
  recovery_codes_left: number;
}

export interface Enrolment {
  secret: string;
  uri: string;
}

export interface Identity {
  provider: string | null;
  linked_at: string | null;
  needs_password: boolean;
}

export const accountKeys = {
  all: ["account"] as const,
  sessions: ["account", "sessions"] as const,
  secondFactor: ["account", "second-factor"] as const,
  passkeys: ["account", "passkeys"] as const,
  identity: ["account", "identity"] as const,
};

export const ownSessionsQuery = queryOptions({
  queryKey: accountKeys.sessions,
  queryFn: ({ signal }) => request<{ items: OwnSession[] }>("/account/sessions", { signal }),
});

export const secondFactorQuery = queryOptions({
  queryKey: accountKeys.secondFactor,
  queryFn: ({ signal }) => request<SecondFactor>("/account/second-factor", { signal }),
});

export const identityQuery = queryOptions({
  queryKey: accountKeys.identity,
  queryFn: ({ signal }) => request<Identity>("/account/oidc", { signal }),
});

export function beginLink(password: string) {
  return request<{ url: string }>("/account/oidc", { method: "POST", body: { password } });
}

export function unlink(password: string) {
  return request<void>("/account/oidc/off", { method: "POST", body: { password } });
}

/** Signs out everywhere; the answer is this browser's new session. */
export function changePassword(form: { current_password: string; new_password: string }): Promise<Session> {
  return remember(request<Session>("/account/password", { method: "POST", body: form }));
}

export function endSession(id: string) {
  return request<void>(`/account/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export function endOtherSessions() {
  return request<{ ended: number }>("/account/sessions", { method: "DELETE" });
}

export function beginSecondFactor(password: string) {
  return request<Enrolment>("/account/second-factor", { method: "POST", body: { password } });
}

/** The codes are in the answer and nowhere else, ever. */
export function confirmSecondFactor(code: string) {
  return request<{ codes: string[] }>("/account/second-factor/confirm", { method: "POST", body: { code } });
}

export function replaceRecoveryCodes(password: string) {
  return request<{ codes: string[] }>("/account/recovery-codes", { method: "POST", body: { password } });
}

export function turnSecondFactorOff(password: string) {
  return request<void>("/account/second-factor/off", { method: "POST", body: { password } });
}
