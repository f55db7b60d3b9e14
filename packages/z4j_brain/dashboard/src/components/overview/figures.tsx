import { Link } from "@tanstack/react-router";
import { useProject } from "@/hooks/use-project";
import type { Overview } from "@/services/overview";
import { count, percent } from "@/time/format";
import { StateIcon } from "../ui/state-badge";

interface Figure {
  label: string;
  value: string;
  state?: string;
  detail: string;
  q: string;
}

export function figuresOf({ totals }: Overview): Figure[] {
  const waiting = totals.queued + totals.received;
  const ended = totals.succeeded + totals.failed;
  return [
    { label: "Waiting", value: count(waiting), state: "queued", detail: "now", q: "state:queued,received" },
    { label: "Running", value: count(totals.running), state: "running", detail: "now", q: "state:running" },
    { label: "Retrying", value: count(totals.retrying), state: "retrying", detail: "now", q: "state:retrying" },
    { label: "Succeeded", value: count(totals.succeeded), state: "succeeded", detail: "1 h", q: "state:succeeded since:1h" },
    { label: "Failed", value: count(totals.failed), state: "failed", detail: "1 h", q: "state:failed since:1h" },
    { label: "Failure rate", value: percent(totals.failed, ended), detail: "1 h", q: "state:failed since:1h" },
  ];
}

/** One line of figures, each the way to its tasks. */
export function Figures({ overview }: { overview: Overview }) {
  const { project } = useProject();
  const { workers_online: online, workers_lost: lost } = overview.now;
  const cell = "flex flex-col gap-0.5 bg-panel px-3 py-2 hover:bg-hover focus-visible:-outline-offset-2";
  return (
    <div className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line shadow-low sm:grid-cols-4 xl:grid-cols-7">
      {figuresOf(overview).map(({ label, value, state, detail, q }) => (
        <Link key={label} to="/p/$project/tasks" params={{ project }} search={{ q }} className={cell}>
          <span className="label flex items-center gap-1.5">
            {state && <StateIcon state={state} />}
            {label}
            <span className="ml-auto font-normal">{detail}</span>
          </span>
          <span className="num text-lg font-semibold">{value}</span>
        </Link>
      ))}
      <Link to="/p/$project/workers" params={{ project }} className={`${cell} col-span-2 sm:col-span-1`}>
        <span className="label flex justify-between">
          Workers <span className="font-normal">now</span>
        </span>
        <span className="num text-lg font-semibold">
          {count(online)}
          {lost > 0 && <span className="ml-2 text-sm text-bad">{count(lost)} lost</span>}
        </span>
      </Link>
    </div>
  );
}
