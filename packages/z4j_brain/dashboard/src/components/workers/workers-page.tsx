import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { Page } from "@/components/shell/page";
import { buttonVariants } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { workersQuery, type WorkerView } from "@/services/workers";
import { cappedCount, count } from "@/time/format";
import { byHost, type HostGroup, rowsOf } from "./hosts";
import { useRowKeys } from "./use-row-keys";
import { useOpenWorker, WorkerHead, WorkerRow } from "./worker-table";

/** Figures move between two messages of the live feed, too. */
const POLL_MS = 15_000;

export function WorkersPage() {
  const { project } = useProject();
  const list = useQuery({ ...workersQuery(project), refetchInterval: POLL_MS });
  const workers = list.data?.items ?? [];
  const online = workers.filter((worker) => worker.online).length;
  return (
    <Page
      title="Workers"
      fixed
      aside={
        list.data && (
          <span data-testid="worker-count" className="num hidden text-xs text-ink-3 sm:inline">
            {count(online)} online
          </span>
        )
      }
    >
      <div className="min-h-0 flex-1 overflow-y-auto bg-panel">
        {list.isPending && <Loading rows={12} />}
        {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
        {list.data && workers.length === 0 && <NoWorkers />}
        {workers.length > 0 && <Hosts workers={workers} />}
        {list.data?.next && (
          <p className="px-4 py-2 text-xs text-ink-3">
            The first {count(workers.length)} of {cappedCount(list.data.count, list.data.count_capped)} are shown,
            those online before others.
          </p>
        )}
      </div>
    </Page>
  );
}

function Hosts({ workers }: { workers: WorkerView[] }) {
  const [isUnfolded, setUnfolded] = useState(false);
  const grouped = useMemo(() => byHost(workers), [workers]);
  // With nothing else to see, the fold would only be in the way.
  const showsGone = isUnfolded || grouped.hosts.length === 0;
  const chosen = useRowKeys(rowsOf(grouped, showsGone), useOpenWorker());
  return (
    <div role="table" aria-label="Workers">
      <div role="rowgroup" className="sticky top-0 z-10 hidden bg-panel lg:block">
        <WorkerHead />
      </div>
      {grouped.hosts.map((group) => (
        <Host key={group.host} group={group} chosen={chosen} />
      ))}
      {grouped.gone.length > 0 && (
        <div role="rowgroup" aria-label="Gone">
          <div role="row">
            <div role="cell">
              <button
                type="button"
                aria-expanded={showsGone}
                onClick={() => setUnfolded(!showsGone)}
                className="flex h-8 w-full items-center gap-1.5 border-b border-line bg-sunken px-4 text-left text-xs text-ink-2 hover:bg-hover focus-visible:-outline-offset-2"
              >
                <Icon name="chevron" className={cn("size-3", showsGone && "rotate-90")} />
                <span className="num">
                  {count(grouped.gone.length)} {grouped.gone.length === 1 ? "process is" : "processes are"} gone
                </span>
              </button>
            </div>
          </div>
          {showsGone &&
            grouped.gone.map((worker) => (
              <WorkerRow key={worker.id} worker={worker} isChosen={worker.id === chosen} />
            ))}
        </div>
      )}
    </div>
  );
}

function Host({ group: { host, workers }, chosen }: { group: HostGroup; chosen: string | null }) {
  const online = workers.filter((worker) => worker.online).length;
  return (
    <div role="rowgroup" aria-label={`Host ${host}`}>
      <div role="row" className="border-b border-line bg-sunken">
        <div role="rowheader" className="flex h-7 items-center gap-2 px-4 text-xs">
          <span className="truncate font-semibold">{host || "host unknown"}</span>
          <span className="num text-ink-3">
            {online === workers.length ? count(online) : `${count(online)} of ${count(workers.length)}`} online
          </span>
        </div>
      </div>
      {workers.map((worker) => (
        <WorkerRow key={worker.id} worker={worker} isChosen={worker.id === chosen} />
      ))}
    </div>
  );
}

function NoWorkers() {
  const { project } = useProject();
  return (
    <Empty icon="workers" title="No worker is connected yet">
      <p className="mb-2">Give your application a token; its processes appear here by themselves.</p>
      <Link to="/p/$project/connect" params={{ project }} className={buttonVariants({ variant: "primary" })}>
        Connect an application
      </Link>
    </Empty>
  );
}
