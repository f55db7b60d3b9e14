import { cn } from "@/lib/cn";
import { useLinkStatus } from "@/live/provider";
import type { LinkStatus } from "@/live/connection";
import { useNow } from "@/time/clock";
import { absolute, duration } from "@/time/format";

const BEHIND_MS = 2_000;

export interface Said {
  tone: "good" | "warn" | "bad";
  text: string;
  detail: string;
}

/** What the header says of how far the record is behind; `now` in milliseconds. */
export function describeLink(status: LinkStatus, now: number): Said {
  if (status.state === "connecting") {
    return { tone: "warn", text: "connecting", detail: "Opening the live feed." };
  }
  if (status.state !== "open") {
    const since = status.heardAt ? ` The server was last heard ${duration(Math.max(0, now - status.heardAt))} ago.` : "";
    return { tone: "bad", text: "reconnecting", detail: `The live feed is interrupted.${since}` };
  }
  const lag = status.lagMs ?? 0;
  if (lag >= BEHIND_MS) {
    const text = `${spoken(lag)} behind`;
    return { tone: lag > 30_000 ? "bad" : "warn", text, detail: "Events arrive later than they happen." };
  }
  const detail =
    status.lagMs === null ? "Connected; no event yet." : `Events arrive ${duration(lag)} after they happen.`;
  return { tone: "good", text: "live", detail };
}

function spoken(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : duration(ms);
}

const TONES = { good: "text-good", warn: "text-warn", bad: "text-bad" };

export function LiveStatus() {
  const status = useLinkStatus();
  const now = useNow();
  const { tone, text, detail } = describeLink(status, now);
  const heard = status.heardAt ? ` Last heard ${absolute(new Date(status.heardAt).toISOString(), "local")}.` : "";
  return (
    <span
      role="status"
      data-testid="live-status"
      data-state={status.state}
      title={detail + heard}
      className={cn(
        "flex h-6 items-center gap-1.5 rounded-full border border-line px-2 text-xs font-medium whitespace-nowrap",
        TONES[tone],
      )}
    >
      <span className={cn("size-1.5 rounded-full bg-current", tone !== "good" && "breathe")} />
      {text}
    </span>
  );
}
