import { cn } from "@/lib/cn";
import { useNow, useZone } from "@/time/clock";
import { absolute, clock, duration, relative } from "@/time/format";

/** "12 s ago"; the exact time on hover, in the chosen zone. */
export function Ago({ at, className }: { at: string | null | undefined; className?: string }) {
  const now = useNow();
  const zone = useZone();
  if (!at) return <span className={cn("text-ink-3", className)}>–</span>;
  return (
    <time dateTime={at} title={absolute(at, zone)} className={cn("num whitespace-nowrap", className)}>
      {relative(at, now)}
    </time>
  );
}

/** The exact time; how long ago on hover. */
export function Exact({ at, className }: { at: string | null | undefined; className?: string }) {
  const now = useNow();
  const zone = useZone();
  if (!at) return <span className={cn("text-ink-3", className)}>–</span>;
  return (
    <time dateTime={at} title={relative(at, now)} className={cn("num whitespace-nowrap", className)}>
      {absolute(at, zone)}
    </time>
  );
}

/** When something ends, or that it has. */
export function End({ at }: { at: string | null }) {
  const now = useNow();
  if (at === null) return <span className="text-ink-3">no end</span>;
  if (Date.parse(at) <= now) {
    return (
      <span className="text-bad">
        ended <Ago at={at} />
      </span>
    );
  }
  return <>until {at.slice(0, 10)}</>;
}

export function ClockTime({ at }: { at: string }) {
  const zone = useZone();
  return (
    <time dateTime={at} title={absolute(at, zone)} className="num whitespace-nowrap">
      {clock(at, zone)}
    </time>
  );
}

/** Since `at`, counting. */
export function Since({ at }: { at: string }) {
  const now = useNow();
  return <span className="num">{seconds(now - Date.parse(at))}</span>;
}

/** Whole seconds: a running figure with decimals that jump by one would only flicker. */
function seconds(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  return whole < 60 ? `${whole} s` : duration(whole * 1000);
}
