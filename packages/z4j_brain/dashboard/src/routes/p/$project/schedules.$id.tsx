import { createFileRoute } from "@tanstack/react-router";
import { SchedulePage } from "@/components/schedules/schedule-page";

export const Route = createFileRoute("/p/$project/schedules/$id")({ component: Schedule });

function Schedule() {
  const { id } = Route.useParams();
  // Another schedule is another page: an open form of the last one must not stay.
  return <SchedulePage key={id} id={id} />;
}
