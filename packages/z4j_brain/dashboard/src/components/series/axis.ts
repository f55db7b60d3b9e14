import { clock, type Zone } from "@/time/format";
import type { Resolution } from "@/services/series";

const DAY_S = 86_400;

/** The text under a tick: time of day, or the day where ticks are days apart. */
export function tickText(at: number, step: number, zone: Zone): string {
  const text = new Date(at * 1000).toISOString();
  return step >= DAY_S ? day(text, zone) : clock(text, zone, true);
}

/** When a bucket begins, as precisely as its resolution is: "14:05", "Mar 1, 14:00", "Mar 1 (UTC)". */
export function bucketText(at: string, resolution: Resolution, zone: Zone): string {
  if (resolution === "minute") return clock(at, zone, true);
  // Days are those of UTC whatever the reader's zone.
  if (resolution === "day") return `${day(at, "utc")} (UTC)`;
  return `${day(at, zone)}, ${clock(at, zone, true)}`;
}

function day(at: string, zone: Zone): string {
  const timeZone = zone === "utc" ? "UTC" : undefined;
  return new Date(at).toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone });
}
