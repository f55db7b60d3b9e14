import { createFileRoute } from "@tanstack/react-router";
import { ConnectPage } from "@/components/connect/connect-page";
import { validateFollowed } from "@/lib/url-state";

export const Route = createFileRoute("/p/$project/connect")({
  validateSearch: validateFollowed,
  component: Connect,
});

function Connect() {
  const { agent } = Route.useSearch();
  const navigate = Route.useNavigate();
  return <ConnectPage followed={agent} onFollow={(id) => void navigate({ search: { agent: id } })} />;
}
