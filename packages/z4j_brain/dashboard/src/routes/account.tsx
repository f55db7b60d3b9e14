import { createFileRoute, redirect } from "@tanstack/react-router";
import { AccountPage } from "@/components/account/account-page";
import { sessionQuery } from "@/services/session";

export const Route = createFileRoute("/account")({
  validateSearch: (search: Record<string, unknown>): { changed?: "yes"; from?: string } => ({
    ...(search.changed === "yes" ? { changed: "yes" } : {}),
    ...(typeof search.from === "string" && search.from ? { from: search.from.slice(0, 128) } : {}),
  }),
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session.setup_needed) throw redirect({ to: "/setup" });
    if (!session.user) throw redirect({ to: "/sign-in", search: { next: location.href } });
  },
  component: Account,
});

function Account() {
  const { changed, from } = Route.useSearch();
  return <AccountPage from={from} isChanged={changed === "yes"} />;
}
