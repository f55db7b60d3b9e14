import { createFileRoute } from "@tanstack/react-router";
import { NamesPage } from "@/components/names/names-page";
import { validateRange } from "@/services/series";

export const Route = createFileRoute("/p/$project/names")({ validateSearch: validateRange, component: Names });

function Names() {
  const { range = "1h" } = Route.useSearch();
  const navigate = Route.useNavigate();
  return <NamesPage range={range} onRange={(next) => void navigate({ search: { range: next }, replace: true })} />;
}
