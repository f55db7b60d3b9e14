import { createFileRoute, Outlet, redirect } from "@tanstack/react-router";
import { AppShell } from "@/components/shell/app-shell";
import { Empty } from "@/components/ui/note";
import { LiveProvider } from "@/live/provider";
import { sessionQuery } from "@/services/session";

export const Route = createFileRoute("/p/$project")({
  beforeLoad: async ({ context, params, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session.setup_needed) throw redirect({ to: "/setup" });
    if (!session.user) throw redirect({ to: "/sign-in", search: { next: location.href } });
    if (session.second_factor_owed) throw redirect({ to: "/account" });
    const access = session.projects.find(({ slug }) => slug === params.project) ?? null;
    return { session, access };
  },
  component: Project,
});

function Project() {
  const { project } = Route.useParams();
  const { access, session } = Route.useRouteContext();
  if (!access) {
    return (
      <Empty icon="search" title={`There is no project “${project}”`}>
        It does not exist, or your account does not belong to it.
      </Empty>
    );
  }
  return (
    <LiveProvider key={session.csrf_token} project={project}>
      <AppShell>
        <Outlet />
      </AppShell>
    </LiveProvider>
  );
}
