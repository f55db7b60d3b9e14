import { queryOptions } from "@tanstack/react-query";
import { type CreationOptions, makePasskey, type RequestOptions, signWithPasskey } from "@/lib/webauthn";
import { accountKeys } from "./account";
import { request } from "./http";
import { remember, type Session } from "./session";

export interface Passkey {
  id: string;
  name: string;
  host: string;
  created_at: string;
  last_used_at: string | null;
}

export interface PasskeyList {
  items: Passkey[];
  most: number;
  /** Why none can be added, as the server knows. */
  unavailable: string | null;
}

export interface PasskeyCreated {
  passkey: Passkey;
  recovery_codes: string[];
}

export const passkeysQuery = queryOptions({
  queryKey: accountKeys.passkeys,
  queryFn: ({ signal }) => request<PasskeyList>("/account/passkeys", { signal }),
});

/** Asks the server what to make, the browser to make it, and the server to keep it. */
export async function addPasskey({ name, password }: { name: string; password: string }): Promise<PasskeyCreated> {
  const options = await request<CreationOptions>("/account/passkeys/options", { method: "POST", body: { password } });
  const credential = await makePasskey(options);
  return request<PasskeyCreated>("/account/passkeys", { method: "POST", body: { name, credential } });
}

export function removePasskey({ id, password }: { id: string; password: string }) {
  return request<void>(`/account/passkeys/${encodeURIComponent(id)}/remove`, { method: "POST", body: { password } });
}

/** Alone, or after a password with what that answered. */
export async function signInByPasskey(secondStep: string | null): Promise<Session> {
  const options = await request<RequestOptions>("/sign-in/passkey/options", {
    method: "POST",
    body: { second_step: secondStep },
  });
  const credential = await signWithPasskey(options);
  const body = { credential, second_step: secondStep };
  return remember(request<Session>("/sign-in/passkey", { method: "POST", body }));
}
