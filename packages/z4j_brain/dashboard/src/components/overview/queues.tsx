import { Link, useNavigate } from "@tanstack/react-router";
import { QueueActions } from "@/components/queues/queue-actions";
import { Panel } from "@/components/ui/panel";
import { quoteValue } from "@/filter/language";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { QueueRow } from "@/services/overview";
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

export function Queues({ queues }: { queues: QueueRow[] }) {
  return (
    <Panel title="Queues" aside={<Aside />}>
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
          {queues.map((queue) => (
            <QueueLine key={`${queue.engine}/${queue.queue}`} queue={queue} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function Aside() {
  const { project } = useProject();
  return (
    <>
      <span className="hidden sm:inline">waiting and running now · the rest in the last hour ·</span>
      <Link to="/p/$project/queues" params={{ project }} className="text-accent underline underline-offset-2">
        depths
      </Link>
    </>
  );
}

function QueueLine({ queue }: { queue: QueueRow }) {
  const { project } = useProject();
  const navigate = useNavigate();
  const open = () =>
    void navigate({
      to: "/p/$project/tasks",
      params: { project },
      search: { q: `queue:${quoteValue(queue.queue)}` },
    });
  const ended = queue.succeeded + queue.failed;
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
      <td className={cn(figure, "hidden sm:table-cell")}>{count(queue.succeeded)}</td>
      <td className={cn(figure, queue.failed > 0 && "text-bad")} title={percent(queue.failed, ended)}>
        {count(queue.failed)}
      </td>
      <td className={wide}>{duration(queue.wait_p50_ms)}</td>
      <td className={wide}>{duration(queue.wait_p95_ms)}</td>
      <td className={wide}>{duration(queue.run_p50_ms)}</td>
      <td className={wide}>{duration(queue.run_p95_ms)}</td>
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
