import { createFileRoute } from "@tanstack/react-router";
import { AccountPage } from "@/components/account/account-page";

export const Route = createFileRoute("/p/$project/account")({
  validateSearch: (search: Record<string, unknown>): { changed?: "yes" } =>
    search.changed === "yes" ? { changed: "yes" } : {},
  component: Account,
});

function Account() {
  const { changed } = Route.useSearch();
  return <AccountPage isChanged={changed === "yes"} />;
}
