import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { Page } from "@/components/shell/page";
import { buttonVariants } from "@/components/ui/button";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { type Overview, overviewQuery } from "@/services/overview";
import { Attention } from "./attention";
import { Figures } from "./figures";
import { Queues } from "./queues";

const ThroughputChart = lazy(() =>
  import("./throughput-chart").then((module) => ({ default: module.ThroughputChart })),
);

export function OverviewPage() {
  const { project } = useProject();
  const query = useQuery(overviewQuery(project));
  return (
    <Page title="Overview">
      {query.isPending && <Loading />}
      {query.error && !query.data && <Fault error={query.error} retry={() => void query.refetch()} />}
      {query.data && <Content overview={query.data} />}
    </Page>
  );
}

function isNew({ now, queues }: Overview): boolean {
  return now.last_event_at === null && queues.length === 0 && now.workers_online + now.workers_lost === 0;
}

function Content({ overview }: { overview: Overview }) {
  const { project } = useProject();
  if (isNew(overview)) {
    return (
      <Empty icon="connect" title="Nothing is connected yet">
        <p className="mb-2">Give your application a token; then its work shows here by itself.</p>
        <Link to="/p/$project/connect" params={{ project }} className={buttonVariants({ variant: "primary" })}>
          Connect an application
        </Link>
      </Empty>
    );
  }
  return (
    <div className="mx-auto flex max-w-350 flex-col gap-3 p-3 sm:p-4">
      <Attention overview={overview} />
      <Figures overview={overview} />
      <Panel title="Ended per minute" aside={<Legend />}>
        <Suspense fallback={<div className="h-37" />}>
          <ThroughputChart series={overview.series} />
        </Suspense>
      </Panel>
      {overview.queues.length > 0 && <Queues queues={overview.queues} />}
    </div>
  );
}

const LEGEND = [
  ["succeeded", "bg-(--fill-succeeded)"],
  ["retried", "bg-(--fill-retried)"],
  ["failed", "bg-(--fill-failed)"],
  ["cancelled", "bg-(--fill-cancelled)"],
] as const;

function Legend() {
  return (
    <span className="flex flex-wrap items-center justify-end gap-x-3">
      {LEGEND.map(([name, color]) => (
        <span key={name} className="flex items-center gap-1.5">
          <span className={`size-2 rounded-xs ${color}`} />
          {name}
        </span>
      ))}
      <span className="hidden sm:inline">· the running minute is pale</span>
    </span>
  );
}
