import type { ScheduleView, StoreView } from "@/services/schedules";
import { count, duration } from "@/time/format";

/** One word for how a schedule stands; the shape beside it says the same without colour. */
export function stateOf(schedule: ScheduleView): "gone" | "paused" | "missed" | "on" {
  if (schedule.gone_at) return "gone";
  if (!schedule.enabled) return "paused";
  return schedule.missed ? "missed" : "on";
}

export const TONES = {
  gone: "text-ink-3",
  paused: "text-warn",
  missed: "font-medium text-bad",
  on: "text-ink-2",
} as const;

export const OWNERS = { code: "code", store: "database" } as const;

/** How late the last run was; a run that came a bit early is on time. */
export function driftText(ms: number | null): string {
  if (ms === null) return "–";
  return ms <= 0 ? "0 ms" : `+${duration(ms)}`;
}

/** Why what is shown may not be how things are, or null. */
export function storeTrouble(store: StoreView): string | null {
  const since = store.due > 0 ? ` ${count(store.due)} were due since.` : "";
  if (store.error) return `They cannot be read: ${store.error}`;
  if (store.unread) return `No online process reads them.${since}`;
  if (store.total > store.known) {
    return `Only ${count(store.known)} of ${count(store.total)} are told; the others are too many.`;
  }
  return null;
}
