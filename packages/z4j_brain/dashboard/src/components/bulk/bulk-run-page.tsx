import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { buttonOf } from "@/components/actions/labels";
import { JsonText } from "@/components/json-text";
import { Page } from "@/components/shell/page";
import { Exact } from "@/components/time";
import { Icon } from "@/components/ui/icon";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { type BulkRun, bulkRunQuery, type MemberState } from "@/services/bulk-runs";
import { ApiError } from "@/services/http";
import { count, duration, percent } from "@/time/format";
import { BulkMembers } from "./bulk-members";
import { Counts, ProgressBar } from "./progress-bar";
import { StepButtons } from "./step-buttons";
import { endedCount, filterText, RUN_TONES, RUN_WORDS, timeLeft } from "./words";

export function BulkRunPage({ id }: { id: string }) {
  const { project } = useProject();
  const query = useQuery(bulkRunQuery(project, id));
  const run = query.data;
  const isMissing = query.error instanceof ApiError && query.error.status === 404;
  const name = run ? nameOf(run) : "Bulk run";
  const heading = (
    <span className="flex min-w-0 items-center gap-1.5">
      <Link to="/p/$project/bulk" params={{ project }} className="shrink-0 text-ink-3 hover:text-ink">
        Bulk runs
      </Link>
      <span className="text-ink-3">/</span>
      <span className="truncate">{name}</span>
    </span>
  );
  return (
    <Page title={name} heading={heading}>
      {query.isPending && <Loading />}
      {isMissing && (
        <Empty icon="bulk" title="There is no such run">
          It was never here, or it ended so long ago that it was cleared away.
        </Empty>
      )}
      {query.error && !isMissing && !run && <Fault error={query.error} retry={() => void query.refetch()} />}
      {run && <Found run={run} />}
    </Page>
  );
}

function nameOf(run: BulkRun): string {
  const { label } = buttonOf({ name: run.action, title: "" });
  return `${label} ${count(run.total || run.matching)} tasks`;
}

function Found({ run }: { run: BulkRun }) {
  const [chosen, setChosen] = useState<MemberState | null>(null);
  return (
    <div data-testid="bulk-run" data-state={run.state} className="mx-auto flex max-w-350 flex-col gap-3 p-3 sm:p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="mono min-w-0 text-sm font-semibold break-all">{filterText(run.filter)}</h2>
        <div className="ml-auto">
          <StepButtons run={run} />
        </div>
      </div>
      <Panel label="Progress">
        <div className="flex flex-col gap-2.5 p-3">
          <Progress run={run} />
          <ProgressBar run={run} tall />
          <Counts run={run} chosen={chosen} onChoose={setChosen} />
        </div>
      </Panel>
      <div className="grid gap-3 lg:grid-cols-[minmax(0,1fr)_360px]">
        <BulkMembers run={run} state={chosen} />
        <Facts run={run} />
      </div>
    </div>
  );
}

function Progress({ run }: { run: BulkRun }) {
  const left = timeLeft(run);
  const ended = endedCount(run);
  return (
    <div className="flex flex-col gap-1" role="status">
      <p className="flex flex-wrap items-baseline gap-x-3">
        <span className={cn("font-semibold", RUN_TONES[run.state])}>{RUN_WORDS[run.state]}</span>
        <span className="num text-ink-2" data-testid="bulk-ended">
          {count(ended)} of {count(run.total)} ({percent(ended, run.total)})
        </span>
        {left !== null && <span className="num text-ink-3">about {duration(left)} left to send</span>}
      </p>
      {run.note && (
        <p className="flex gap-1.5 text-ink-2">
          <Icon name="alert" className="mt-0.5 text-warn" />
          {run.note}
        </p>
      )}
    </div>
  );
}

function Facts({ run }: { run: BulkRun }) {
  const { canary } = run;
  const { label } = buttonOf({ name: run.action, title: "" });
  const rows: [string, ReactNode][] = [
    ["Action", `${label} (${run.engine})`],
    ["Rate", `${run.rate} a second`],
    [
      "Canary",
      canary.percent === 0
        ? "none"
        : `${canary.size ? `${count(canary.size)} tasks, ` : ""}${canary.percent} %; stop above ${canary.max_failed_percent} % failed, else ${canary.then === "wait" ? "wait" : "go on"}`,
    ],
    ["Retried before", run.skip_retried ? "left out" : "not looked at"],
    ["Matched", `${count(run.matching)} when it was asked for`],
    ["Asked by", run.created_by.email],
    ["Asked at", <Exact key="at" at={run.created_at} />],
    ["Began", <Exact key="began" at={run.started_at} />],
    ["Ended", <Exact key="ended" at={run.ended_at} />],
  ];
  return (
    <Panel title="Facts" className="self-start">
      <dl className="grid grid-cols-[100px_minmax(0,1fr)] gap-y-1 p-3">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      </dl>
      <div className="px-3 pb-3">
        <JsonText value={run.params ?? {}} />
      </div>
    </Panel>
  );
}
