import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { JsonText } from "@/components/json-text";
import { Page } from "@/components/shell/page";
import { Ago, Exact } from "@/components/time";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { StateIcon } from "@/components/ui/state-badge";
import { quoteValue } from "@/filter/language";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { ApiError } from "@/services/http";
import { type ScheduleDetail, type ScheduleView, scheduleQuery } from "@/services/schedules";
import { count } from "@/time/format";
import { driftText, OWNERS, stateOf, TONES } from "./say";
import { ScheduleActions } from "./schedule-actions";

export function SchedulePage({ id }: { id: string }) {
  const { project } = useProject();
  const query = useQuery(scheduleQuery(project, id));
  const detail = query.data;
  const isMissing = query.error instanceof ApiError && query.error.status === 404;
  const heading = (
    <span className="flex min-w-0 items-center gap-1.5">
      <Link to="/p/$project/schedules" params={{ project }} className="text-ink-3 hover:text-ink">
        Schedules
      </Link>
      <span className="text-ink-3">/</span>
      <bdi className="truncate">{detail?.schedule.name ?? "…"}</bdi>
    </span>
  );
  return (
    <Page title={detail?.schedule.name ?? "Schedule"} heading={heading}>
      {query.isPending && <Loading />}
      {isMissing && (
        <Empty icon="schedules" title="There is no such schedule">
          It was never here, or it has been gone for so long that it was cleared away.
        </Empty>
      )}
      {query.error && !isMissing && !detail && <Fault error={query.error} retry={() => void query.refetch()} />}
      {detail && <Found detail={detail} />}
    </Page>
  );
}

function Found({ detail }: { detail: ScheduleDetail }) {
  const { schedule } = detail;
  const state = stateOf(schedule);
  return (
    <div data-testid="schedule" data-state={state} className="mx-auto flex max-w-350 flex-col gap-3 p-3 sm:p-4">
      <ScheduleActions detail={detail} />
      <Panel label="Now">
        <dl className="grid grid-cols-2 gap-x-4 gap-y-2 px-3 py-2.5 sm:grid-cols-3 lg:grid-cols-6">
          <Figure name="State"><span className={TONES[state]}>{state}</span></Figure>
          <Figure name="Timing">{schedule.timing}</Figure>
          <Figure name="Next run"><Ago at={schedule.enabled ? schedule.next_run_at : null} /></Figure>
          <Figure name="Last run"><Ago at={schedule.last_run_at} /></Figure>
          <Figure name="Drift">{driftText(schedule.drift_ms)}</Figure>
          <Figure name="Misses">
            <span className={schedule.misses > 0 ? "text-warn" : undefined}>{count(schedule.misses)}</span>
          </Figure>
        </dl>
        <p className="border-t border-line px-3 py-2 text-ink-2">
          Owned by the {OWNERS[schedule.owner]}, read from {schedule.scheduler} <Ago at={schedule.as_of} />.{" "}
          {schedule.undone_by}
        </p>
      </Panel>
      <div className="grid gap-3 lg:grid-cols-[minmax(0,1fr)_360px]">
        <div className="flex min-w-0 flex-col gap-3">
          <Panel title="What it publishes">
            <div className="flex flex-col gap-2 p-3">
              <p>
                <span className="mono">{schedule.task ?? "its task is not told"}</span>
                {schedule.queue && (
                  <span className="text-ink-2"> to <span className="mono">{schedule.queue}</span></span>
                )}
              </p>
              <JsonText value={detail.arguments} />
            </div>
          </Panel>
          <Runs detail={detail} />
        </div>
        <Panel title="Facts">
          <Facts schedule={schedule} />
        </Panel>
      </div>
    </div>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="label">{name}</dt>
      <dd className="num truncate text-base">{children}</dd>
    </div>
  );
}

function Facts({ schedule }: { schedule: ScheduleView }) {
  const facts: [string, ReactNode][] = [
    ["Next run", <Exact at={schedule.enabled ? schedule.next_run_at : null} />],
    ["Last run", <Exact at={schedule.last_run_at} />],
    ["Time zone", schedule.timezone ?? "–"],
    ["Runs", schedule.runs === null ? "not counted" : count(schedule.runs)],
    ["Last missed", <Exact at={schedule.missed_at} />],
    ["First seen", <Exact at={schedule.first_seen} />],
    ["Id", <span className="mono">{schedule.schedule}</span>],
    ["Store", <span className="mono">{schedule.store}</span>],
  ];
  if (schedule.gone_at) facts.unshift(["Gone since", <Exact at={schedule.gone_at} />]);
  return (
    <dl className="px-4 py-2">
      {facts.map(([name, value]) => (
        <div key={name} className="grid min-h-6.5 grid-cols-[84px_minmax(0,1fr)] items-baseline gap-2 py-0.5">
          <dt className="text-xs text-ink-3">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Tasks of the name that it publishes; who published one is not always known. */
function Runs({ detail }: { detail: ScheduleDetail }) {
  const { project } = useProject();
  const { task } = detail.schedule;
  return (
    <Panel
      title="Newest tasks of this name"
      aside={
        task && (
          <Link
            to="/p/$project/tasks"
            params={{ project }}
            search={{ q: `name:${quoteValue(task)}` }}
            className="text-accent underline underline-offset-2"
          >
            All
          </Link>
        )
      }
    >
      {detail.runs.length === 0 && <p className="px-3 py-3 text-ink-3">None is in the record.</p>}
      <ul data-testid="schedule-runs">
        {detail.runs.map((run) => (
          <li key={run.task_id} className="border-b border-line/60 last:border-b-0">
            <Link
              to="/p/$project/tasks/$engine/$taskId"
              params={{ project, engine: run.engine, taskId: run.task_id }}
              className="flex h-7 items-center gap-3 px-3 hover:bg-hover focus-visible:-outline-offset-2"
            >
              <StateIcon state={run.state} />
              <span className={cn("w-20 shrink-0", run.state === "failed" && "text-bad")}>{run.state}</span>
              <span className="mono min-w-0 flex-1 truncate text-xs text-ink-3">{run.task_id}</span>
              <Ago at={run.first_at} className="text-xs text-ink-3" />
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
