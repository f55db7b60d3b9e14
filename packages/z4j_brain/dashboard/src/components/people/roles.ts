import type { Role } from "@/services/people";

/** What a role is for, in a few words. */
export const ROLE_TEXT: Record<Role, string> = {
  viewer: "reads everything",
  auditor: "reads everything, for those who check",
  operator: "also retries, cancels, purges and decides",
  admin: "also manages agents, people and keys",
};
