import { createFileRoute } from "@tanstack/react-router";
import { WorkerPage } from "@/components/workers/worker-page";

export const Route = createFileRoute("/p/$project/workers/$id")({ component: Worker });

function Worker() {
  const { id } = Route.useParams();
  // Another worker is another page: an open dialog of the last one must not stay.
  return <WorkerPage key={id} id={id} />;
}
