import { Link } from "@tanstack/react-router";
import { Ago } from "@/components/time";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { IssueSummary } from "@/services/issues";
import { count } from "@/time/format";
import { Sparkline } from "../overview/sparkline";
import { IssueBadge } from "./issue-state";

/** One width for the head and every row; the issue takes what is left. */
export const ISSUE_GRID =
  "grid grid-cols-[minmax(0,1fr)_60px] items-center gap-x-3 sm:grid-cols-[minmax(0,1fr)_104px_64px_80px_80px] lg:grid-cols-[minmax(0,1fr)_minmax(0,220px)_104px_72px_84px_84px]";

/** A real link, which opens in another tab too, over the whole row. */
const WHOLE_ROW =
  "block outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent";

export function IssueHead() {
  const right = "label text-right";
  return (
    <div role="row" className={cn(ISSUE_GRID, "hidden h-7 border-b border-line px-4 sm:grid")}>
      <span role="columnheader" className="label">Issue</span>
      <span role="columnheader" className="label hidden lg:block">Newest task</span>
      <span role="columnheader" className="label">24 hours</span>
      <span role="columnheader" className={right}>Failures</span>
      <span role="columnheader" className={right}>First</span>
      <span role="columnheader" className={right}>Last</span>
    </div>
  );
}

export function IssueRow({ issue, isChosen }: { issue: IssueSummary; isChosen: boolean }) {
  const { project } = useProject();
  const hidden = "hidden sm:block";
  return (
    <div
      role="row"
      data-row={issue.id}
      data-selected={isChosen}
      className={cn(
        ISSUE_GRID,
        "relative min-h-11 border-b border-line/60 px-4 py-1 hover:bg-hover data-[selected=true]:bg-selected",
      )}
    >
      <span role="cell" className="min-w-0">
        <Link to="/p/$project/issues/$id" params={{ project, id: issue.id }} className={WHOLE_ROW}>
          <IssueTitle issue={issue} />
        </Link>
      </span>
      <span role="cell" className="mono hidden truncate text-xs text-ink-2 lg:block">
        {issue.last_name || "–"}
      </span>
      <span role="cell" className={hidden}>
        <Sparkline values={issue.spark} label="Failures of the last 24 hours" unit="hour" />
      </span>
      <span role="cell" className="num text-right font-semibold">
        {count(issue.count)}
        <span className="block text-xs font-normal text-ink-3 sm:hidden">
          <Ago at={issue.last_seen} />
        </span>
      </span>
      <span role="cell" className={cn(hidden, "text-right text-ink-2")}>
        <Ago at={issue.first_seen} />
      </span>
      <span role="cell" className={cn(hidden, "text-right text-ink-2")}>
        <Ago at={issue.last_seen} />
      </span>
    </div>
  );
}

/** Type and message in the first line, the place in the second. */
export function IssueTitle({ issue }: { issue: IssueSummary }) {
  const hasOwnTitle = issue.id === "overflow";
  return (
    <>
      <span className="flex min-w-0 items-center gap-2">
        {issue.regressed && <IssueBadge issue={issue} />}
        <bdi className="mono truncate font-semibold">{hasOwnTitle ? issue.title : issue.exception_type || "Failed"}</bdi>
        <bdi className="min-w-0 flex-1 truncate text-ink-2">{issue.message}</bdi>
      </span>
      <bdi className="mono block truncate text-xs text-ink-3">{hasOwnTitle ? issue.exception_type || "\u00a0" : issue.title}</bdi>
    </>
  );
}
