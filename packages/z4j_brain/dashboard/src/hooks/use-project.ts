import { useRouteContext } from "@tanstack/react-router";
import type { ProjectAccess, Session } from "@/services/session";

/** The project that the address names, and what the signed-in person may do in it. */
export function useProject(): { project: string; access: ProjectAccess; session: Session } {
  const { session, access } = useRouteContext({ from: "/p/$project" });
  if (!access) throw new Error("This page needs a project in its address.");
  return { project: access.slug, access, session };
}

export function usePermission(permission: string): boolean {
  const { access } = useProject();
  return access.permissions.includes(permission);
}
