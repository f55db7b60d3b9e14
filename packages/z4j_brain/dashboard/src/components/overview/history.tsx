import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";
import { Fault } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { type Range, seriesQuery } from "@/services/series";

const ThroughputChart = lazy(() =>
  import("./throughput-chart").then((module) => ({ default: module.ThroughputChart })),
);
const LatencyChart = lazy(() => import("./latency-chart").then((module) => ({ default: module.LatencyChart })));

/** What ended, and how long it waited and ran, over the chosen span. */
export function History({ range }: { range: Range }) {
  const { project } = useProject();
  const query = useQuery({ ...seriesQuery(project, range), placeholderData: keepPreviousData });
  const series = query.data;
  const points = series?.groups[0]?.points ?? [];
  const resolution = series?.resolution ?? "minute";
  if (query.error && !series) return <Fault error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="grid gap-3 xl:grid-cols-2">
      <Panel
        label="Ended"
        title={<span className="whitespace-nowrap">Ended per {resolution}</span>}
        aside={
          <span className="flex flex-wrap justify-end gap-x-2.5">
            {OUTCOMES.map(([name, color]) => (
              <Key key={name} mark={<span className={`size-2 rounded-xs ${color}`} />} name={name} />
            ))}
          </span>
        }
      >
        <Drawing>{series && <ThroughputChart series={points} resolution={resolution} range={range} />}</Drawing>
      </Panel>
      <Panel
        title="Wait and run"
        aside={
          <span className="flex flex-wrap justify-end gap-x-2.5">
            {DURATIONS.map(([name, color]) => (
              <Key key={name} mark={<span className={`w-3.5 border-t-2 ${color}`} />} name={name} />
            ))}
          </span>
        }
      >
        <Drawing>{series && <LatencyChart points={points} resolution={resolution} />}</Drawing>
      </Panel>
    </div>
  );
}

const OUTCOMES = [
  ["succeeded", "bg-(--fill-succeeded)"],
  ["retried", "bg-(--fill-retried)"],
  ["failed", "bg-(--fill-failed)"],
  ["cancelled", "bg-(--fill-cancelled)"],
] as const;

const DURATIONS = [
  ["wait p95", "border-(--fill-retried)"],
  ["run p95", "border-(--s-running)"],
  ["run p50", "border-dashed border-(--s-running)"],
] as const;

function Key({ mark, name }: { mark: ReactNode; name: string }) {
  return (
    <span className="flex items-center gap-1.5 whitespace-nowrap">
      {mark}
      {name}
    </span>
  );
}

function Drawing({ children }: { children: ReactNode }) {
  return <Suspense fallback={<div className="h-37" />}>{children || <div className="h-37" />}</Suspense>;
}
