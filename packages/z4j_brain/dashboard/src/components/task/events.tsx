import { useQuery } from "@tanstack/react-query";
import { JsonText } from "@/components/json-text";
import { ClockTime } from "@/components/time";
import { Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { taskEventsQuery, type TaskDetail } from "@/services/tasks";
import { duration } from "@/time/format";

/** Every event of the task as it was recorded, with how late it arrived. */
export function Events({ task }: { task: TaskDetail }) {
  const { project } = useProject();
  const events = useQuery(taskEventsQuery(project, task.engine, task.task_id));
  if (events.isPending) return <Loading rows={4} />;
  if (events.error) return <Fault error={events.error} retry={() => void events.refetch()} />;
  const { items, truncated } = events.data;
  return (
    <div data-testid="events">
      {items.map((event, index) => (
        <details key={`${event.occurred_at}-${index}`} className="group border-b border-line/60 last:border-0">
          <summary className="flex h-7 items-center gap-3 px-4 hover:bg-hover">
            <span className="w-22 text-xs text-ink-2">
              <ClockTime at={event.occurred_at} />
            </span>
            <span className="w-20 font-medium">{event.kind}</span>
            <span className="num w-10 text-xs text-ink-3">try {event.attempt + 1}</span>
            <span className="min-w-0 flex-1 truncate text-xs text-ink-3">{event.worker}</span>
            <span className="num text-xs text-ink-3" title="from the event to its record">
              +{duration(Date.parse(event.received_at) - Date.parse(event.occurred_at))}
            </span>
          </summary>
          <JsonText value={event.payload} className="px-4 pb-2" />
        </details>
      ))}
      {truncated && <p className="px-4 py-2 text-xs text-ink-3">Only the first 1,000 events are shown.</p>}
    </div>
  );
}
