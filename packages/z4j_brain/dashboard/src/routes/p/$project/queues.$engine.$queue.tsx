import { createFileRoute } from "@tanstack/react-router";
import { QueuePage } from "@/components/queues/queue-page";
import { WINDOWS, type Window } from "@/services/queues";

interface Search {
  broker?: string;
  window?: Window;
}

export const Route = createFileRoute("/p/$project/queues/$engine/$queue")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    ...(typeof search.broker === "string" && /^[0-9a-f]{16}$/.test(search.broker) && { broker: search.broker }),
    ...(WINDOWS.includes(search.window as Window) && { window: search.window as Window }),
  }),
  component: Queue,
});

function Queue() {
  const { engine, queue } = Route.useParams();
  const { broker = "", window = "1h" } = Route.useSearch();
  return <QueuePage key={`${engine}/${queue}`} engine={engine} queue={queue} broker={broker} window={window} />;
}
