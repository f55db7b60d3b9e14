import { queryOptions } from "@tanstack/react-query";
import { request, setCsrfToken } from "./http";

export interface ProjectAccess {
  slug: string;
  name: string;
  role: string;
  permissions: string[];
}

export type SecondStepWay = "app" | "passkey" | "recovery_code";

export interface Session {
  setup_needed: boolean;
  user: { id: string; email: string; name: string; is_admin: boolean } | null;
  csrf_token: string | null;
  version: string;
  projects: ProjectAccess[];
  /** Whether the server can check passkeys. */
  passkeys: boolean;
  /** Whether a second step has to be set up before anything else. */
  second_factor_owed: boolean;
  /** Only in the answer to a password that is not enough: it goes with the second step. */
  second_step: string | null;
  second_step_ways: SecondStepWay[];
  /** What the button of the identity provider says; null without one. */
  provider: string | null;
  by_password: boolean;
}

export interface SetupForm {
  token: string;
  email: string;
  name: string;
  password: string;
  project_name: string;
}

export async function remember(answer: Promise<Session>): Promise<Session> {
  const session = await answer;
  setCsrfToken(session.csrf_token);
  return session;
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => remember(request<Session>("/session")),
  staleTime: Number.POSITIVE_INFINITY,
});

export function signIn(form: { email: string; password: string }): Promise<Session> {
  return remember(request<Session>("/sign-in", { method: "POST", body: form }));
}

export function signInByCode(form: { second_step: string; code: string }): Promise<Session> {
  return remember(request<Session>("/sign-in/code", { method: "POST", body: form }));
}

/** The answer sets a cookie for the way back; the browser goes to the address. */
export function beginProviderSignIn(): Promise<{ url: string }> {
  return request<{ url: string }>("/sign-in/oidc", { method: "POST" });
}

export async function signOut(): Promise<void> {
  await request("/sign-out", { method: "POST" });
  setCsrfToken(null);
}

export function setUp(form: SetupForm): Promise<Session> {
  return remember(request<Session>("/setup", { method: "POST", body: form }));
}

export function setupCheckQuery(token: string) {
  return queryOptions({
    queryKey: ["setup-check", token],
    queryFn: () => request<{ valid: boolean }>(`/setup/check?token=${encodeURIComponent(token)}`),
  });
}
