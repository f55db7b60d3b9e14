import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { Page } from "@/components/shell/page";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { quoteValue } from "@/filter/language";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { ApiError } from "@/services/http";
import { queueQuery, type QueueDetail, WINDOWS, type Window } from "@/services/queues";
import { QueueActions } from "./queue-actions";
import { QueueFacts } from "./queue-facts";

const CourseChart = lazy(() => import("./course-chart").then((module) => ({ default: module.CourseChart })));

interface QueuePageProps {
  engine: string;
  queue: string;
  broker: string;
  window: Window;
}

export function QueuePage({ engine, queue, broker, window }: QueuePageProps) {
  const { project } = useProject();
  const query = useQuery(queueQuery(project, engine, queue, broker, window));
  const isMissing = query.error instanceof ApiError && [404, 422].includes(query.error.status);
  return (
    <Page
      title={queue}
      heading={
        <span className="flex min-w-0 items-center gap-2">
          <Link to="/p/$project/queues" params={{ project }} className="text-ink-3 hover:text-ink">
            Queues
          </Link>
          <span className="text-ink-3">/</span>
          <span className="mono truncate">{queue}</span>
        </span>
      }
      aside={<QueueActions engine={engine} queue={queue} />}
    >
      {query.isPending && <Loading />}
      {isMissing && (
        <Empty icon="queues" title="There is no such queue">
          <p>Nothing of the last week names it.</p>
        </Empty>
      )}
      {query.error && !isMissing && !query.data && <Fault error={query.error} retry={() => void query.refetch()} />}
      {query.data && <Content detail={query.data} window={window} />}
    </Page>
  );
}

function Content({ detail, window }: { detail: QueueDetail; window: Window }) {
  const { project } = useProject();
  const { queue, points } = detail;
  return (
    <div className="mx-auto flex max-w-350 flex-col gap-3 p-3 sm:p-4">
      <QueueFacts queue={queue} sampleS={detail.sample_s} />
      <Panel title="Waiting" aside={<Windows chosen={window} />}>
        <Suspense fallback={<div className="h-37" />}>
          <CourseChart
            label={`Depth of ${queue.queue}, the greatest of each step`}
            points={points}
            lines={[{ key: "waiting_max", label: "Waiting", color: "--accent", fill: true }]}
          />
        </Suspense>
      </Panel>
      <Panel title="Arrivals and completions" aside={<Legend step={detail.step_s} />}>
        <Suspense fallback={<div className="h-37" />}>
          <CourseChart
            label={`Arrivals and completions of ${queue.queue}`}
            points={points}
            lines={[
              { key: "arrivals", label: "Arrivals", color: "--s-running" },
              { key: "completions", label: "Completions", color: "--s-succeeded" },
            ]}
          />
        </Suspense>
      </Panel>
      <p className="text-ink-2">
        <Link
          to="/p/$project/tasks"
          params={{ project }}
          search={{ q: `queue:${quoteValue(queue.queue)}` }}
          className="text-accent underline underline-offset-2"
        >
          Tasks of this queue
        </Link>
      </p>
    </div>
  );
}

function Windows({ chosen }: { chosen: Window }) {
  return (
    <span role="group" aria-label="Window" className="flex gap-1">
      {WINDOWS.map((window) => (
        <Link
          key={window}
          to="."
          search={(before: Record<string, unknown>) => ({ ...before, window })}
          aria-current={window === chosen ? "true" : undefined}
          className={cn("num rounded-sm px-1.5 py-0.5", window === chosen ? "bg-selected font-medium text-ink" : "hover:bg-hover")}
        >
          {window}
        </Link>
      ))}
    </span>
  );
}

function Legend({ step }: { step: number }) {
  return (
    <span className="flex items-center gap-x-3">
      <span className="flex items-center gap-1.5">
        <span className="h-0.5 w-3 bg-(--s-running)" /> arrivals
      </span>
      <span className="flex items-center gap-1.5">
        <span className="h-0.5 w-3 bg-(--s-succeeded)" /> completions
      </span>
      <span className="hidden sm:inline">per {step < 3600 ? `${step / 60} min` : "hour"}</span>
    </span>
  );
}
