import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { buttonOf } from "@/components/actions/labels";
import { Page } from "@/components/shell/page";
import { Ago } from "@/components/time";
import { LoadMore } from "@/components/ui/load-more";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { type BulkRun, bulkRunsQuery } from "@/services/bulk-runs";
import { count } from "@/time/format";
import { ProgressBar } from "./progress-bar";
import { endedCount, filterText, RUN_TONES } from "./words";

const GRID =
  "grid grid-cols-[76px_minmax(0,1fr)_72px] sm:grid-cols-[84px_150px_minmax(0,1fr)_170px_minmax(0,150px)_72px] items-center gap-x-3 px-4";

export function BulkRunsPage() {
  const { project } = useProject();
  const query = useInfiniteQuery(bulkRunsQuery(project));
  const rows = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Bulk runs">
      {query.isPending && <Loading />}
      {query.error && <Fault error={query.error} retry={() => void query.refetch()} />}
      {query.data && rows.length === 0 && (
        <Empty icon="bulk" title="Nothing was done to many tasks yet">
          <p className="mb-2">Filter the tasks that you mean, and choose “Act on all”.</p>
          <Link to="/p/$project/tasks" params={{ project }} search={{ q: "state:failed" }} className="text-accent underline">
            Failed tasks
          </Link>
        </Empty>
      )}
      {rows.length > 0 && (
        <div role="table" aria-label="Bulk runs" className="min-h-full bg-panel">
          <div role="row" className={cn(GRID, "sticky top-0 z-10 h-7 border-b border-line bg-panel")}>
            {["State", "Action", "Filter", "Progress", "By", "Asked"].map((name, index) => (
              <span
                key={name}
                role="columnheader"
                className={cn("label", index > 1 && index < 5 && "hidden sm:block", index === 5 && "text-right")}
              >
                {name}
              </span>
            ))}
          </div>
          {rows.map((run) => (
            <Row key={run.id} run={run} />
          ))}
          <LoadMore of={query} />
        </div>
      )}
    </Page>
  );
}

function Row({ run }: { run: BulkRun }) {
  const { project } = useProject();
  const { label } = buttonOf({ name: run.action, title: "" });
  return (
    <div role="row" data-run-id={run.id} data-state={run.state} className={cn(GRID, "relative min-h-8 border-b border-line/60 hover:bg-hover")}>
      <span role="cell" className={cn("font-medium", RUN_TONES[run.state])}>{run.state}</span>
      <span role="cell" className="min-w-0 truncate">
        <Link
          to="/p/$project/bulk/$id"
          params={{ project, id: run.id }}
          className="after:absolute after:inset-0 focus-visible:-outline-offset-2"
        >
          {label} {count(run.total || run.matching)} tasks
        </Link>
      </span>
      <span role="cell" className="mono hidden truncate text-ink-2 sm:block" title={run.filter}>{filterText(run.filter)}</span>
      <span role="cell" className="hidden items-center gap-2 sm:flex">
        <span className="flex-1"><ProgressBar run={run} /></span>
        <span className="num w-16 text-right text-xs text-ink-3">{count(endedCount(run))}</span>
      </span>
      <span role="cell" className="hidden truncate text-ink-2 sm:block">{run.created_by.email}</span>
      <span role="cell" className="text-right text-ink-3"><Ago at={run.created_at} /></span>
    </div>
  );
}
