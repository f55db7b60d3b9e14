import { createFileRoute } from "@tanstack/react-router";
import { BulkRunPage } from "@/components/bulk/bulk-run-page";

export const Route = createFileRoute("/p/$project/bulk/$id")({ component: Run });

function Run() {
  const { id } = Route.useParams();
  // Another run is another page: what was chosen in the last one must not stay.
  return <BulkRunPage key={id} id={id} />;
}
