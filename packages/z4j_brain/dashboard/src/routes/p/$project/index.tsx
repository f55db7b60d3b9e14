import { createFileRoute } from "@tanstack/react-router";
import { OverviewPage } from "@/components/overview/overview-page";
import { validateRange } from "@/services/series";

export const Route = createFileRoute("/p/$project/")({ validateSearch: validateRange, component: Overview });

function Overview() {
  const { range = "1h" } = Route.useSearch();
  const navigate = Route.useNavigate();
  return <OverviewPage range={range} onRange={(next) => void navigate({ search: { range: next }, replace: true })} />;
}
