import { createFileRoute } from "@tanstack/react-router";
import { SchedulesPage } from "@/components/schedules/schedules-page";
import { validateScheduleSearch } from "@/lib/url-state";

export const Route = createFileRoute("/p/$project/schedules/")({
  validateSearch: validateScheduleSearch,
  component: Schedules,
});

function Schedules() {
  const { state = "" } = Route.useSearch();
  return <SchedulesPage state={state} />;
}
