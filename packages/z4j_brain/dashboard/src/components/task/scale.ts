import type { Attempt } from "@/services/tasks";

/** Shares of the whole width, in percent. */
export interface Bar {
  attempt: Attempt;
  from: number;
  waitTo: number;
  to: number;
  /** It goes on, so its end is now. Of an unknown one nobody can tell that. */
  isOpen: boolean;
}

export interface Scale {
  startAt: number;
  spanMs: number;
  bars: Bar[];
}

const time = (text: string | null): number | null => (text === null ? null : Date.parse(text));

/** Lays the attempts on one time axis; `now` ends what still runs. Null without any time. */
export function scaleOf(attempts: readonly Attempt[], now: number): Scale | null {
  const laid = attempts.flatMap((attempt) => {
    const started = time(attempt.started_at);
    const from = time(attempt.published_at) ?? time(attempt.received_at) ?? started ?? time(attempt.ended_at);
    if (from === null) return [];
    const ended = time(attempt.ended_at);
    const isLost = attempt.state === "unknown";
    const to = ended ?? (isLost ? (started ?? time(attempt.received_at) ?? from) : now);
    const isOpen = ended === null && !isLost;
    return [{ attempt, from, waitTo: started ?? to, to: Math.max(to, started ?? to, from), isOpen }];
  });
  if (laid.length === 0) return null;
  const startAt = Math.min(...laid.map(({ from }) => from));
  const spanMs = Math.max(1, Math.max(...laid.map(({ to }) => to)) - startAt);
  const share = (at: number) => (Math.min(Math.max(at - startAt, 0), spanMs) / spanMs) * 100;
  const bars = laid.map((bar) => ({
    ...bar,
    from: share(bar.from),
    waitTo: share(bar.waitTo),
    to: share(bar.to),
  }));
  return { startAt, spanMs, bars };
}
