import { ClockTime, Exact } from "@/components/time";
import { StateBadge } from "@/components/ui/state-badge";
import type { TaskDetail } from "@/services/tasks";
import { useNow } from "@/time/clock";
import { duration } from "@/time/format";
import { exceptionText, WaitTime } from "../tasks/columns";
import { type Bar, scaleOf } from "./scale";

/** Every attempt on one time axis: the wait hatched, the run in the colour of its end. */
export function Attempts({ task }: { task: TaskDetail }) {
  const now = useNow();
  const scale = scaleOf(task.attempts, now);
  if (!scale) return <p className="p-3 text-ink-3">No attempt was reported yet.</p>;
  return (
    <div className="px-4 pt-1 pb-3">
      <ol className="flex flex-col">
        {scale.bars.map((bar) => (
          <AttemptRow key={bar.attempt.attempt} bar={bar} now={now} />
        ))}
      </ol>
      <div className="mt-1 flex justify-between border-t border-line pt-1 text-2xs text-ink-3">
        <ClockTime at={new Date(scale.startAt).toISOString()} />
        <span className="num">{duration(scale.spanMs)} in all</span>
        <ClockTime at={new Date(scale.startAt + scale.spanMs).toISOString()} />
      </div>
    </div>
  );
}

function AttemptRow({ bar, now }: { bar: Bar; now: number }) {
  const { attempt } = bar;
  const exception = exceptionText(attempt);
  return (
    <li className="border-b border-line/60 py-2 last:border-0" data-attempt={attempt.attempt}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5">
        <span className="num w-4 text-ink-3">{attempt.attempt + 1}</span>
        <StateBadge state={attempt.state} />
        <span className="num text-ink-2">
          waited{" "}
          {attempt.started_at ? <WaitTime of={attempt} /> : duration(attempt.wait_ms ?? openWait(bar, now))}
        </span>
        <span className="num text-ink-2">ran {duration(attempt.run_ms ?? openRun(bar, now))}</span>
        {attempt.worker && <span className="mono truncate text-ink-3">{attempt.worker}</span>}
      </div>
      <Track bar={bar} />
      {(exception || attempt.reason) && (
        <p className="pl-7 text-xs break-words text-ink-2">
          {exception ? <span className="text-bad">{exception}</span> : attempt.reason}
        </p>
      )}
      {attempt.retry_at && (
        <p className="pl-7 text-xs text-ink-3">
          next attempt at <Exact at={attempt.retry_at} />
        </p>
      )}
    </li>
  );
}

function openRun({ attempt, isOpen }: Bar, now: number): number | null {
  return isOpen && attempt.started_at ? wholeSeconds(now - Date.parse(attempt.started_at)) : null;
}

function openWait({ attempt, isOpen }: Bar, now: number): number | null {
  const from = attempt.published_at ?? attempt.received_at;
  return isOpen && from ? wholeSeconds(now - Date.parse(from)) : null;
}

const wholeSeconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000) * 1000);

function Track({ bar }: { bar: Bar }) {
  const wait = bar.waitTo - bar.from;
  const run = bar.to - bar.waitTo;
  return (
    <div className="relative mt-1 mb-0.5 ml-7 h-2.5 overflow-hidden rounded-sm bg-sunken" data-s={bar.attempt.state} aria-hidden="true">
      <div className="wait-bar absolute inset-y-0" style={{ left: `${bar.from}%`, width: `${wait}%` }} />
      {bar.attempt.started_at && (
        <div
          className={bar.isOpen ? "breathe absolute inset-y-0 bg-(--s)" : "absolute inset-y-0 bg-(--s)"}
          style={{ left: `${bar.waitTo}%`, width: `max(2px, ${run}%)` }}
        />
      )}
    </div>
  );
}
