import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { QueueActions } from "@/components/queues/queue-actions";
import { spokenRange } from "@/components/series/range-picker";
import { Panel } from "@/components/ui/panel";
import { quoteValue } from "@/filter/language";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { QueueRow } from "@/services/overview";
import { type Figures, type Group, type Range, totalsQuery } from "@/services/series";
import { count, duration, percent } from "@/time/format";
import { Sparkline } from "./sparkline";

const HEADS: [string, string][] = [
  ["Queue", "text-left"],
  ["Waiting", ""],
  ["Running", ""],
  ["Done", "hidden sm:table-cell"],
  ["Failed", ""],
  ["Wait p50", "hidden md:table-cell"],
  ["p95", "hidden md:table-cell"],
  ["Run p50", "hidden md:table-cell"],
  ["p95", "hidden md:table-cell"],
  ["30 min", "hidden lg:table-cell"],
  ["", "w-9"],
];

export function Queues({ queues, range }: { queues: QueueRow[]; range: Range }) {
  const { project } = useProject();
  const totals = useQuery({ ...totalsQuery(project, range, "queue"), placeholderData: keepPreviousData }).data;
  return (
    <Panel title="Queues" aside={<Aside range={range} />}>
      <table className="w-full border-collapse text-right" data-testid="queues">
        <thead>
          <tr className="h-7 border-b border-line">
            {HEADS.map(([name, className], index) => (
              <th key={index} scope="col" className={cn("label px-2 first:pl-3", className)}>
                {name || <span className="sr-only">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {withTotals(queues, totals?.groups ?? []).map(({ queue, figures }) => (
            <QueueLine key={`${queue.engine}/${queue.queue}`} queue={queue} figures={figures} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function Aside({ range }: { range: Range }) {
  const { project } = useProject();
  return (
    <>
      <span className="hidden sm:inline">waiting and running now · the rest in {spokenRange(range)} ·</span>
      <Link to="/p/$project/queues" params={{ project }} className="text-accent underline underline-offset-2">
        depths
      </Link>
    </>
  );
}

/** The queues of now and those of the span, each once. */
export function withTotals(queues: readonly QueueRow[], groups: readonly Group[]) {
  const keyOf = (one: { engine: string | null; queue: string | null }) => JSON.stringify([one.engine, one.queue]);
  const known = new Set(queues.map(keyOf));
  const byKey = new Map(groups.filter((group) => !group.other).map((group) => [keyOf(group), group]));
  const past = [...byKey].filter(([key]) => !known.has(key)).map(([, group]) => quiet(group));
  return [...queues, ...past].map((queue) => ({ queue, figures: byKey.get(keyOf(queue))?.total }));
}

const quiet = ({ engine, queue }: Group): QueueRow => ({
  engine: engine ?? "",
  queue: queue ?? "",
  waiting: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  wait_p50_ms: null,
  wait_p95_ms: null,
  run_p50_ms: null,
  run_p95_ms: null,
  spark: [],
});

function QueueLine({ queue, figures }: { queue: QueueRow; figures: Figures | undefined }) {
  const { project } = useProject();
  const navigate = useNavigate();
  const open = () =>
    void navigate({
      to: "/p/$project/tasks",
      params: { project },
      search: { q: `queue:${quoteValue(queue.queue)}` },
    });
  const { succeeded = 0, failed = 0, wait_ms: wait, run_ms: run } = figures ?? {};
  const figure = "num px-2";
  const wide = "num hidden px-2 text-ink-2 md:table-cell";
  return (
    <tr
      tabIndex={0}
      data-queue={queue.queue}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key === "Enter" && event.target === event.currentTarget) open();
      }}
      className="h-7 cursor-pointer border-b border-line/60 last:border-0 hover:bg-hover focus-visible:-outline-offset-2"
    >
      <td className="max-w-28 truncate pr-2 pl-3 text-left sm:w-[26%] sm:max-w-0" title={`${queue.engine} · ${queue.queue}`}>
        {queue.queue ? (
          <Link
            to="/p/$project/queues/$engine/$queue"
            params={{ project, engine: queue.engine, queue: queue.queue }}
            onClick={(event) => event.stopPropagation()}
            className="mono hover:text-accent hover:underline"
          >
            {queue.queue}
          </Link>
        ) : (
          <span className="mono">{queue.queue}</span>
        )}{" "}
        <span className="text-xs text-ink-3">{queue.engine}</span>
      </td>
      <td className={cn(figure, queue.waiting > 0 && "font-semibold")}>{count(queue.waiting)}</td>
      <td className={figure}>{count(queue.running)}</td>
      <td className={cn(figure, "hidden sm:table-cell")}>{count(succeeded)}</td>
      <td className={cn(figure, failed > 0 && "text-bad")} title={percent(failed, succeeded + failed)}>
        {count(failed)}
      </td>
      <td className={wide}>{duration(wait?.p50)}</td>
      <td className={wide}>{duration(wait?.p95)}</td>
      <td className={wide}>{duration(run?.p50)}</td>
      <td className={wide}>{duration(run?.p95)}</td>
      <td className="hidden px-2 lg:table-cell">
        <span className="inline-block align-middle">
          <Sparkline values={queue.spark} label={`${queue.queue}: tasks ended in the last 30 minutes`} />
        </span>
      </td>
      <td className="pr-1.5">
        <QueueActions engine={queue.engine} queue={queue.queue} />
      </td>
    </tr>
  );
}
