import type { WorkerView } from "@/services/workers";
import { bytes, count, duration } from "@/time/format";

export type Tone = "good" | "warn" | "bad" | "quiet";

export interface Said {
  tone: Tone;
  text: string;
}

export const TONES: Record<Tone, string> = {
  good: "text-good",
  warn: "text-warn",
  bad: "text-bad",
  quiet: "text-ink-2",
};

/** Going is normal; going while tasks count as running is not. */
export function presence({ online, running }: Pick<WorkerView, "online" | "running">): Said {
  if (online) return { tone: "good", text: "online" };
  return running > 0 ? { tone: "bad", text: "lost" } : { tone: "quiet", text: "gone" };
}

const LATE_MS = 2_000;
const VERY_LATE_MS = 30_000;

/** How far behind a process's events are; one that is gone has no lag any more. */
export function lag({ online, lag_ms }: Pick<WorkerView, "online" | "lag_ms">): Said {
  if (!online || lag_ms === null) return { tone: "quiet", text: "–" };
  const tone = lag_ms >= VERY_LATE_MS ? "bad" : lag_ms >= LATE_MS ? "warn" : "quiet";
  return { tone, text: duration(Math.max(0, lag_ms)) };
}

/** Events that wait in the process for the server. A handful is the normal case. */
export function outbox({ outbox_events: events }: Pick<WorkerView, "outbox_events">): Said {
  return { tone: (events ?? 0) >= 1_000 ? "warn" : "quiet", text: count(events) };
}

export function drops({ dropped }: Pick<WorkerView, "dropped">): Said {
  return { tone: dropped ? "bad" : "quiet", text: count(dropped) };
}

const SKEWED_MS = 2_000;

/** In which direction a clock is wrong, as people say it. */
export function clockText(offset: number | null): Said {
  if (offset === null) return { tone: "quiet", text: "–" };
  const size = duration(Math.abs(offset));
  const tone = Math.abs(offset) >= SKEWED_MS ? "warn" : "quiet";
  if (Math.abs(offset) < 1) return { tone, text: "as the server's" };
  return { tone, text: offset > 0 ? `${size} ahead of the server` : `${size} behind the server` };
}

/** The clock, where it is so wrong that times in the record mislead; else nothing. */
export function clockWarning({ clock_offset_ms: offset }: Pick<WorkerView, "clock_offset_ms">): Said | null {
  const said = clockText(offset);
  return said.tone === "quiet" || offset === null ? null : { ...said, text: `clock ${said.text}` };
}

export const cpu = (percent: number | null): string => (percent === null ? "–" : `${Math.round(percent)}%`);
export const memory = (size: number | null): string => bytes(size);

export function engineText(engines: WorkerView["engines"]): string {
  return engines.map(({ name, version }) => (version ? `${name} ${version}` : name)).join(", ") || "–";
}
