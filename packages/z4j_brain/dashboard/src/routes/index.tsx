import { createFileRoute, redirect } from "@tanstack/react-router";
import { Empty } from "@/components/ui/note";
import { sessionQuery } from "@/services/session";

export const Route = createFileRoute("/")({
  beforeLoad: async ({ context }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session.setup_needed) throw redirect({ to: "/setup" });
    if (!session.user) throw redirect({ to: "/sign-in" });
    if (session.second_factor_owed) throw redirect({ to: "/account" });
    const project = session.projects[0];
    if (project) throw redirect({ to: "/p/$project", params: { project: project.slug } });
  },
  component: () => (
    <Empty icon="tasks" title="No project yet">
      Your account belongs to no project. Ask an administrator to add you to one.
    </Empty>
  ),
});
