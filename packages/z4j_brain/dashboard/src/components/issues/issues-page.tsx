import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Page } from "@/components/shell/page";
import { Input } from "@/components/ui/input";
import { LoadMore } from "@/components/ui/load-more";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { ISSUE_STATES, issueListQuery, type IssueState, type IssueSummary } from "@/services/issues";
import { count } from "@/time/format";
import { useRowKeys } from "../workers/use-row-keys";
import { IssueHead, IssueRow } from "./issue-row";

const LABELS: Record<IssueState, string> = { open: "Open", resolved: "Resolved", muted: "Muted" };
const PAUSE_MS = 250;

interface IssuesPageProps {
  state: IssueState;
  q: string;
  onSearch: (q: string) => void;
}

export function IssuesPage({ state, q, onSearch }: IssuesPageProps) {
  const { project } = useProject();
  const query = useInfiniteQuery(issueListQuery(project, state, q));
  const first = query.data?.pages[0];
  const rows = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Issues" fixed>
      <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 px-3 py-2 sm:px-4">
        <nav aria-label="State of the issues" className="flex gap-1">
          {ISSUE_STATES.map((each) => (
            <Tab key={each} state={each} q={q} isChosen={each === state} total={first?.counts[each]} />
          ))}
        </nav>
        <Search key={state} q={q} onSearch={onSearch} />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto border-t border-line bg-panel">
        {query.isPending && <Loading rows={12} />}
        {query.error && <Fault error={query.error} retry={() => void query.refetch()} />}
        {query.data && rows.length === 0 && <NoIssues state={state} q={q} />}
        {rows.length > 0 && <Rows rows={rows} />}
        <LoadMore of={query} />
      </div>
    </Page>
  );
}

function Rows({ rows }: { rows: IssueSummary[] }) {
  const { project } = useProject();
  const navigate = useNavigate();
  const chosen = useRowKeys(rows, ({ id }) => void navigate({ to: "/p/$project/issues/$id", params: { project, id } }));
  return (
    <div role="table" aria-label="Issues">
      <div role="rowgroup" className="sticky top-0 z-10 bg-panel">
        <IssueHead />
      </div>
      <div role="rowgroup">
        {rows.map((issue) => (
          <IssueRow key={issue.id} issue={issue} isChosen={issue.id === chosen} />
        ))}
      </div>
    </div>
  );
}

function Tab({ state, q, isChosen, total }: { state: IssueState; q: string; isChosen: boolean; total?: number }) {
  const { project } = useProject();
  return (
    <Link
      to="/p/$project/issues"
      params={{ project }}
      search={{ ...(state === "open" ? {} : { state }), ...(q ? { q } : {}) }}
      aria-current={isChosen ? "page" : undefined}
      className={cn(
        "inline-flex h-7 items-center gap-1.5 rounded-md px-2.5 font-medium",
        isChosen ? "bg-selected text-ink" : "text-ink-2 hover:bg-hover hover:text-ink",
      )}
    >
      {LABELS[state]}
      <span className="num text-xs text-ink-3">{total === undefined ? "" : count(total)}</span>
    </Link>
  );
}

/** Asks a moment after the last letter, so that each letter is no request. */
function Search({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const [text, setText] = useState(q);
  useEffect(() => {
    if (text.trim() === q) return;
    const timer = setTimeout(() => onSearch(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [onSearch, q, text]);
  return (
    <Input
      type="search"
      aria-label="Search issues"
      placeholder="Type, place, message or task"
      maxLength={200}
      className="w-full sm:w-72"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}

function NoIssues({ state, q }: { state: IssueState; q: string }) {
  if (q) {
    return (
      <Empty icon="search" title="No issue fits">
        No {state} issue has “{q}” in its type, place, message or task.
      </Empty>
    );
  }
  if (state === "open") {
    return (
      <Empty icon="check" title="No open issues">
        When a task fails, it stands here with all failures of the same kind.
      </Empty>
    );
  }
  return (
    <Empty icon="issues" title={state === "muted" ? "Nothing is muted" : "Nothing is resolved yet"}>
      {state === "muted"
        ? "Mute an issue that you know of; it stays out of the way until its time or its count is over."
        : "Resolve an issue once it is fixed; a later failure of the same kind opens it again and says so."}
    </Empty>
  );
}
