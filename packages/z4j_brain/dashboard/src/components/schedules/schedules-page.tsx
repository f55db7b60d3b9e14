import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Page } from "@/components/shell/page";
import { LoadMore } from "@/components/ui/load-more";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { SCHEDULE_STATES, type ScheduleState, schedulesQuery, type StoreView, storesQuery } from "@/services/schedules";
import { cappedCount } from "@/time/format";
import { CreateButton } from "./create-button";
import { storeTrouble } from "./say";
import { ScheduleTable } from "./schedule-table";

const LABELS: Record<ScheduleState, string> = {
  "": "All",
  enabled: "On",
  paused: "Paused",
  missed: "Missed",
  gone: "Gone",
};

export function SchedulesPage({ state }: { state: ScheduleState }) {
  const { project } = useProject();
  const list = useInfiniteQuery(schedulesQuery(project, state));
  const stores = useQuery(storesQuery(project));
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const first = list.data?.pages[0];
  const known = stores.data?.items ?? [];
  return (
    <Page title="Schedules" fixed aside={<CreateButton stores={known} />}>
      <nav aria-label="State of the schedules" className="flex shrink-0 flex-wrap items-center gap-1 px-3 py-2 sm:px-4">
        {SCHEDULE_STATES.map((each) => (
          <Link
            key={each}
            to="/p/$project/schedules"
            params={{ project }}
            search={each ? { state: each } : {}}
            aria-current={each === state ? "true" : undefined}
            className={cn("rounded-md px-2 py-1", each === state ? "bg-selected font-medium" : "text-ink-2 hover:bg-hover")}
          >
            {LABELS[each]}
          </Link>
        ))}
        {first && (
          <span className="num ml-auto text-xs text-ink-3">{cappedCount(first.count, first.count_capped)} shown</span>
        )}
      </nav>
      <div className="min-h-0 flex-1 overflow-y-auto border-t border-line bg-panel">
        {known.map((store) => (
          <Trouble key={store.scheduler + store.store} store={store} />
        ))}
        {list.isPending && <Loading rows={8} />}
        {list.error && !list.data && <Fault error={list.error} retry={() => void list.refetch()} />}
        {list.data && rows.length === 0 && <None state={state} hasStores={known.length > 0} />}
        {rows.length > 0 && <ScheduleTable schedules={rows} />}
        <LoadMore of={list} />
      </div>
    </Page>
  );
}

function Trouble({ store }: { store: StoreView }) {
  const trouble = storeTrouble(store);
  if (!trouble) return null;
  return (
    <p role="note" className="border-b border-line bg-sunken px-4 py-1.5 text-warn">
      <span className="mono">{store.scheduler}</span>: {trouble}
    </p>
  );
}

function None({ state, hasStores }: { state: ScheduleState; hasStores: boolean }) {
  const { project } = useProject();
  if (state || hasStores) {
    return (
      <Empty icon="schedules" title={state ? `No schedule is ${LABELS[state].toLowerCase()}` : "There is no schedule yet"}>
        <p>{state ? "Others may be." : "The scheduler is connected, and has none."}</p>
      </Empty>
    );
  }
  return (
    <Empty icon="schedules" title="No scheduler is connected yet">
      <p>
        A process that can read schedules tells them here: install z4j’s plugin for your engine beside the scheduler, set{" "}
        <span className="mono">Z4J_URL</span> and <span className="mono">Z4J_TOKEN</span>, and restart it.{" "}
        <Link to="/p/$project/connect" params={{ project }} className="text-accent underline underline-offset-2">
          Connect
        </Link>{" "}
        shows how.
      </p>
    </Empty>
  );
}
