import type { AgentView, TokenView } from "@/services/agents";

/** Neither revoked nor, after a rotation, past its set end. */
export function isActive(token: Pick<TokenView, "revoked_at" | "expires_at">, now = Date.now()): boolean {
  return token.revoked_at === null && (token.expires_at === null || Date.parse(token.expires_at) > now);
}

/** The address that was seen last, over all tokens; null while none was used. */
export function lastAddress(tokens: readonly TokenView[]): string | null {
  const used = tokens.filter(({ last_address, last_used_at }) => last_address && last_used_at);
  used.sort((one, other) => (other.last_used_at ?? "").localeCompare(one.last_used_at ?? ""));
  return used[0]?.last_address ?? null;
}

/** "2", or "1 of 3" where some were revoked. */
export function tokenText(tokens: readonly TokenView[]): string {
  const active = tokens.filter((token) => isActive(token)).length;
  return active === tokens.length ? String(active) : `${active} of ${tokens.length}`;
}

/** In use first, revoked last; inside, by name and its figures. */
export function inOrder(agents: readonly AgentView[]): AgentView[] {
  return [...agents].sort(
    (one, other) =>
      Number(one.revoked_at !== null) - Number(other.revoked_at !== null) ||
      one.name.localeCompare(other.name, "en", { numeric: true }),
  );
}

/** What revoking will do, so that nobody finds out afterwards. */
export function consequence(agent: AgentView): string {
  const { workers_online: online } = agent;
  if (online === 0) return "Nothing uses it at this moment.";
  const processes = online === 1 ? "1 process that is" : `${online} processes that are`;
  return `It cuts off ${processes} online now. Their tasks go on; they are no longer seen here.`;
}
