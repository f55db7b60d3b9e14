import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { BulkButton } from "@/components/bulk/bulk-button";
import { Page } from "@/components/shell/page";
import { Ago, Exact } from "@/components/time";
import { CopyButton } from "@/components/ui/copy-button";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { ApiError } from "@/services/http";
import { type IssueDetail, issueQuery } from "@/services/issues";
import { withValues } from "@/filter/language";
import { count } from "@/time/format";
import { DecideButtons } from "./decide-buttons";
import { HoursChart } from "./hours-chart";
import { IssueBadge, useDecisionText } from "./issue-state";
import { NewestTasks } from "./newest-tasks";

export function IssuePage({ id }: { id: string }) {
  const { project } = useProject();
  const query = useQuery(issueQuery(project, id));
  const issue = query.data;
  const isMissing = query.error instanceof ApiError && query.error.status === 404;
  const heading = (
    <span className="flex min-w-0 items-center gap-1.5">
      <Link to="/p/$project/issues" params={{ project }} className="text-ink-3 hover:text-ink">
        Issues
      </Link>
      <span className="text-ink-3">/</span>
      <bdi className="mono truncate text-sm">{issue ? nameOf(issue) : "…"}</bdi>
    </span>
  );
  return (
    <Page title={issue ? nameOf(issue) : "Issue"} heading={heading}>
      {query.isPending && <Loading />}
      {isMissing && (
        <Empty icon="issues" title="There is no such issue">
          It was never here, or it failed so long ago that it was cleared away.
        </Empty>
      )}
      {query.error && !isMissing && !issue && <Fault error={query.error} retry={() => void query.refetch()} />}
      {issue && <Found issue={issue} />}
    </Page>
  );
}

const nameOf = (issue: IssueDetail): string => issue.exception_type || issue.title;

function Found({ issue }: { issue: IssueDetail }) {
  return (
    <div data-testid="issue" data-state={issue.state} className="mx-auto max-w-350 p-3 sm:p-4">
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <IssueBadge issue={issue} />
        <h2 className="mono min-w-0 text-base font-semibold break-all">
          <bdi>{nameOf(issue)}</bdi>
        </h2>
        <div className="ml-auto flex flex-wrap items-center gap-1.5">
          <BulkButton q={`state:failed issue:${issue.id}`} />
          <DecideButtons issue={issue} />
        </div>
      </div>
      <div className="grid gap-3 lg:grid-cols-[minmax(0,1fr)_360px]">
        <div className="flex min-w-0 flex-col gap-3">
          <Panel title="Failures per hour" aside={<Legend />}>
            <HoursChart series={issue.series} />
          </Panel>
          <Panel title="What they have in common" aside={<CopyButton text={issue.stack} label="Copy what they have in common" />}>
            <div className="p-3">
              {issue.message && (
                <p className="mb-2 break-words">
                  <span className="text-xs text-ink-3">Newest message: </span>
                  <bdi>{issue.message}</bdi>
                </p>
              )}
              <Stack text={issue.stack} />
            </div>
          </Panel>
          <NewestTasks issue={issue} />
        </div>
        <div className="flex min-w-0 flex-col gap-3">
          <Panel title="Facts">
            <Facts issue={issue} />
          </Panel>
          <Places issue={issue} />
          <Decisions issue={issue} />
        </div>
      </div>
    </div>
  );
}

function Legend() {
  return (
    <span className="flex items-center gap-3">
      <span className="flex items-center gap-1.5">
        <span className="size-2 rounded-xs bg-(--fill-failed)" /> failed
      </span>
      <span className="flex items-center gap-1.5">
        <span className="size-2 rounded-xs bg-(--fill-retried)" /> tried again
      </span>
    </span>
  );
}

/** The frames without line numbers, the innermost last; what stands behind them is indented. */
function Stack({ text }: { text: string }) {
  return (
    <pre tabIndex={0} aria-label="Frames" data-testid="stack" className="max-h-96 overflow-auto rounded-md bg-code p-3 leading-4.5">
      {text}
    </pre>
  );
}

function Facts({ issue }: { issue: IssueDetail }) {
  return (
    <dl className="px-4 py-2">
      <Fact label="Failures"><span className="num">{count(issue.count)}</span></Fact>
      <Fact label="Tried again"><span className="num">{count(issue.retried)}</span></Fact>
      <Fact label="First seen"><Exact at={issue.first_seen} /></Fact>
      <Fact label="Last seen"><Exact at={issue.last_seen} /></Fact>
      {issue.regressed && <Fact label="Came back">{issue.regressed_at && <Exact at={issue.regressed_at} />}</Fact>}
      <Fact label="Id">
        <span className="flex items-center gap-1">
          <span className="mono min-w-0 text-[11px] break-all">{issue.id}</span>
          <CopyButton text={issue.id} label="Copy the id" />
        </span>
      </Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="grid min-h-6.5 grid-cols-[84px_minmax(0,1fr)] items-baseline gap-2 py-0.5">
      <dt className="text-xs text-ink-3">{label}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

function Places({ issue }: { issue: IssueDetail }) {
  const { project } = useProject();
  if (issue.places.length === 0) return null;
  return (
    <Panel title="Seen in">
      <ul>
        {issue.places.map(({ engine, name, queue }) => (
          <li key={`${engine} ${name} ${queue}`} className="border-b border-line/60 last:border-b-0">
            <Link
              to="/p/$project/tasks"
              params={{ project }}
              search={{ q: withValues(`issue:${issue.id}`, "name", name ? [name] : []) }}
              className="flex min-h-7 items-center gap-2 px-3 hover:bg-hover focus-visible:-outline-offset-2"
            >
              <span className="mono min-w-0 flex-1 truncate" title={name}>{name || "unnamed"}</span>
              <span className="max-w-28 truncate text-xs text-ink-3">{queue || engine}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Decisions({ issue }: { issue: IssueDetail }) {
  const textOf = useDecisionText();
  if (issue.decisions.length === 0) return null;
  return (
    <Panel title="Decisions">
      <ol data-testid="decisions">
        {issue.decisions.map((decision) => (
          <li key={decision.at} className="border-b border-line/60 px-3 py-1.5 last:border-b-0">
            <p>{textOf(decision)}</p>
            <p className="flex justify-between gap-2 text-xs text-ink-3">
              <span className="truncate">{decision.by}</span>
              <Ago at={decision.at} />
            </p>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
