import { Link } from "@tanstack/react-router";
import { Ago } from "@/components/time";
import { Icon } from "@/components/ui/icon";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { quoteValue } from "@/filter/language";
import type { FailureGroup, Overview } from "@/services/overview";
import { count } from "@/time/format";

/** Exceptions first; when there are none, one calm line. */
export function Attention({ overview }: { overview: Overview }) {
  const { notices, failures, now } = overview;
  if (notices.length === 0 && failures.length === 0) {
    return (
      <p className="flex items-center gap-2 px-1 text-ink-2" data-testid="all-well">
        <Icon name="check" className="text-good" />
        Nothing needs attention: no failure in the last hour, {count(now.workers_online)}{" "}
        {now.workers_online === 1 ? "worker" : "workers"} online.
      </p>
    );
  }
  return (
    <Panel title="Needs attention" aside={<span>last hour</span>}>
      <ul data-testid="attention">
        {notices.map((notice) => (
          <li key={notice.kind + notice.text} className="flex min-h-7 items-center gap-2 border-b border-line/60 px-3 py-1 last:border-0">
            <Icon name="alert" className={cn("size-3.5", notice.level === "error" ? "text-bad" : notice.level === "info" ? "text-ink-3" : "text-warn")} />
            <span className="min-w-0 flex-1">{notice.text}</span>
            {notice.since && <Ago at={notice.since} className="text-xs text-ink-3" />}
          </li>
        ))}
        {failures.map((failure) => (
          <Failure key={`${failure.engine} ${failure.name} ${failure.exception_type}`} failure={failure} />
        ))}
      </ul>
    </Panel>
  );
}

/** The filter that shows exactly the tasks of a group. */
export function failureFilter(failure: FailureGroup): string {
  return [
    "state:failed",
    failure.name && `name:${quoteValue(failure.name)}`,
    failure.exception_type && `exception:${quoteValue(failure.exception_type)}`,
    "since:1h",
  ]
    .filter(Boolean)
    .join(" ");
}

function Failure({ failure }: { failure: FailureGroup }) {
  const { project } = useProject();
  return (
    <li className="border-b border-line/60 last:border-0">
      <Link
        to="/p/$project/tasks"
        params={{ project }}
        search={{ q: failureFilter(failure) }}
        className="grid min-h-7 grid-cols-[minmax(20px,auto)_minmax(0,1fr)_80px] items-center gap-2 px-3 hover:bg-hover focus-visible:-outline-offset-2"
      >
        <span className="num text-right font-semibold text-bad">{count(failure.count)}</span>
        <span className="flex min-w-0 items-baseline gap-2">
          <span className="mono truncate">{failure.name ?? "unnamed"}</span>
          <span className="min-w-0 truncate text-xs text-bad">{failure.exception_type ?? "failed"}</span>
        </span>
        <Ago at={failure.last_at} className="text-right text-xs text-ink-3" />
      </Link>
    </li>
  );
}
