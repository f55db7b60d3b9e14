import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { LoadMore } from "@/components/ui/load-more";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { StateBadge } from "@/components/ui/state-badge";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { type BulkMember, bulkMembersQuery, type BulkRun, type MemberState } from "@/services/bulk-runs";
import { count } from "@/time/format";
import { MEMBER_WORDS } from "./words";

const GRID =
  "grid grid-cols-[84px_minmax(0,1fr)] sm:grid-cols-[56px_92px_minmax(0,1fr)_minmax(0,1fr)] items-center gap-x-3 px-3";

/** The tasks of a run in the order of their turn, each with its result. */
export function BulkMembers({ run, state }: { run: BulkRun; state: MemberState | null }) {
  const { project } = useProject();
  const query = useInfiniteQuery(bulkMembersQuery(project, run.id, state));
  const rows = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Panel title={state ? `Tasks: ${MEMBER_WORDS[state].toLowerCase()}` : "Tasks"} label="Tasks of the run">
      {query.isPending && <Loading />}
      {query.error && <Fault error={query.error} retry={() => void query.refetch()} />}
      {query.data && rows.length === 0 && <p className="p-3 text-ink-3">None yet.</p>}
      {rows.length > 0 && (
        <div role="table" aria-label="Tasks of the run">
          <div role="row" className={cn(GRID, "h-7 border-b border-line")}>
            <span role="columnheader" className="label hidden sm:block">Turn</span>
            <span role="columnheader" className="label">Result</span>
            <span role="columnheader" className="label">Task</span>
            <span role="columnheader" className="label hidden sm:block">What came of it</span>
          </div>
          {rows.map((member) => (
            <Row key={member.number} run={run} member={member} />
          ))}
        </div>
      )}
      <LoadMore of={query} />
    </Panel>
  );
}

const TONES: Partial<Record<MemberState, string>> = {
  succeeded: "text-good",
  failed: "text-bad",
  refused: "text-bad",
  expired: "text-warn",
};

function Row({ run, member }: { run: BulkRun; member: BulkMember }) {
  return (
    <div role="row" data-state={member.state} className={cn(GRID, "min-h-7 border-b border-line/60 py-0.5")}>
      <span role="cell" className="num hidden text-ink-3 sm:block">{count(member.number)}</span>
      <span role="cell" className={cn("font-medium", TONES[member.state] ?? "text-ink-2")}>
        {MEMBER_WORDS[member.state]}
      </span>
      <span role="cell" className="min-w-0">
        <TaskLink run={run} taskId={member.task_id} />
      </span>
      <span role="cell" className="col-span-2 flex min-w-0 items-center gap-2 sm:col-span-1">
        {member.made_task_id && <TaskLink run={run} taskId={member.made_task_id} />}
        {member.made_state && <StateBadge state={member.made_state} />}
        {member.reason && <span className="break-words text-ink-2">{member.reason}</span>}
      </span>
    </div>
  );
}

function TaskLink({ run, taskId }: { run: BulkRun; taskId: string }) {
  const { project } = useProject();
  return (
    <Link
      to="/p/$project/tasks/$engine/$taskId"
      params={{ project, engine: run.engine, taskId }}
      className="mono block truncate text-accent hover:underline"
      title={taskId}
    >
      {taskId}
    </Link>
  );
}
