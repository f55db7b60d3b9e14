import { Link } from "@tanstack/react-router";
import { Ago } from "@/components/time";
import { Icon } from "@/components/ui/icon";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { IssueSummary } from "@/services/issues";
import type { Overview } from "@/services/overview";
import { count } from "@/time/format";
import { IssueTitle } from "../issues/issue-row";
import { Sparkline } from "./sparkline";

/** Exceptions first; when there are none, one calm line. */
export function Attention({ overview }: { overview: Overview }) {
  const { notices, issues, now } = overview;
  const since = Date.parse(overview.generated_at) - overview.window_s * 1_000;
  if (notices.length === 0 && issues.length === 0) {
    return (
      <p className="flex items-center gap-2 px-1 text-ink-2" data-testid="all-well">
        <Icon name="check" className="text-good" />
        Nothing needs attention: no open issue failed in the last hour, {count(now.workers_online)}{" "}
        {now.workers_online === 1 ? "worker" : "workers"} online.
      </p>
    );
  }
  return (
    <Panel
      title="Needs attention"
      aside={
        <span>
          failed in the last hour<span className="hidden sm:inline"> · counts of 24 hours</span>
        </span>
      }
    >
      <ul data-testid="attention">
        {notices.map((notice) => (
          <li key={notice.kind + notice.text} className="flex min-h-7 items-center gap-2 border-b border-line/60 px-3 py-1 last:border-0">
            <Icon name="alert" className={cn("size-3.5", notice.level === "error" ? "text-bad" : notice.level === "info" ? "text-ink-3" : "text-warn")} />
            <span className="min-w-0 flex-1">{notice.text}</span>
            {notice.since && <Ago at={notice.since} className="text-xs text-ink-3" />}
          </li>
        ))}
        {issues.map((issue) => (
          <Failing key={issue.id} issue={issue} since={since} />
        ))}
      </ul>
    </Panel>
  );
}

function Failing({ issue, since }: { issue: IssueSummary; since: number }) {
  const { project } = useProject();
  const isNew = !issue.regressed && Date.parse(issue.first_seen) >= since;
  const today = issue.spark.reduce((sum, value) => sum + value, 0);
  return (
    <li className="border-b border-line/60 last:border-0">
      <Link
        to="/p/$project/issues/$id"
        params={{ project, id: issue.id }}
        className="grid min-h-9 grid-cols-[minmax(28px,auto)_minmax(0,1fr)_64px] items-center gap-2 px-3 py-0.5 hover:bg-hover focus-visible:-outline-offset-2 sm:grid-cols-[minmax(28px,auto)_minmax(0,1fr)_104px_80px]"
      >
        <span className="num text-right font-semibold text-bad" title={`${count(today)} failures in 24 hours`}>
          {count(today)}
        </span>
        <span className="flex min-w-0 items-center gap-2">
          {isNew && <span className="rounded-full border border-warn/50 px-1.5 text-xs font-medium text-warn">new</span>}
          <span className="min-w-0 flex-1">
            <IssueTitle issue={issue} />
          </span>
        </span>
        <span className="hidden sm:block">
          <Sparkline values={issue.spark} label="Failures of the last 24 hours" unit="hour" />
        </span>
        <Ago at={issue.last_seen} className="text-right text-xs text-ink-3" />
      </Link>
    </li>
  );
}
