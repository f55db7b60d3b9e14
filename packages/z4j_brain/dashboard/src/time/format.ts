export type Zone = "local" | "utc";

/** A duration in at most two units: "83 ms", "1.24 s", "2 m 04 s", "3 h 05 m", "2 d 1 h". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 1) return ms === 0 ? "0 ms" : "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 9.995) return `${s.toFixed(2)} s`;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "now", "12 s ago", "in 3 min"; `at` is RFC 3339, `now` in milliseconds since the epoch. */
export function relative(at: string | null | undefined, now: number): string {
  if (!at) return "–";
  const seconds = Math.round((now - Date.parse(at)) / 1000);
  const span = coarse(Math.abs(seconds));
  if (span === null) return "now";
  return seconds < 0 ? `in ${span}` : `${span} ago`;
}

function coarse(seconds: number): string | null {
  if (seconds < 2) return null;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Date and time to the millisecond, with the zone: "2026-03-01 12:00:00.123 UTC". */
export function absolute(at: string | null | undefined, zone: Zone): string {
  if (!at) return "–";
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  if (zone === "utc") return `${date.toISOString().slice(0, 23).replace("T", " ")} UTC`;
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${clock(at, "local")} ${offset(date)}`;
}

/** Time of day to the millisecond; to the minute with `short`. */
export function clock(at: string, zone: Zone, short = false): string {
  const date = new Date(at);
  if (zone === "utc") return date.toISOString().slice(11, short ? 16 : 23);
  const minute = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  if (short) return minute;
  return `${minute}:${pad(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

const pad = (value: number): string => String(value).padStart(2, "0");

const whole = new Intl.NumberFormat("en-US");
/** 1,234,567; null as a dash. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : whole.format(value);
}

/** "5,000+" where the brain stopped counting. */
export function cappedCount(value: number, capped: boolean): string {
  return `${count(value)}${capped ? "+" : ""}`;
}

/** Binary units with one decimal: "212.4 MiB". */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(size < 100 ? 1 : 0)} ${units[unit]}`;
}

/** A share in percent: "0%", "<0.1%", "4.2%", "37%". */
export function percent(part: number, all: number): string {
  if (all === 0) return "–";
  const share = (part / all) * 100;
  if (share === 0) return "0%";
  if (share < 0.1) return "<0.1%";
  return `${share < 10 ? share.toFixed(1) : Math.round(share)}%`;
}
