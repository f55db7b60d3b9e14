import type { IssueHour } from "@/services/issues";
import { useZone } from "@/time/clock";
import { absolute, count } from "@/time/format";

const WIDTH = 840;
const HEIGHT = 96;
const GAP = 1;

export interface Bar {
  x: number;
  width: number;
  failed: { y: number; height: number };
  retried: { y: number; height: number };
}

/** Bars of failures with the retried attempts on top, one for each hour, zeros included. */
export function barsOf(series: readonly IssueHour[]): { bars: Bar[]; peak: number } {
  const peak = series.reduce((high, { failed, retried }) => Math.max(high, failed + retried), 0);
  const step = WIDTH / Math.max(1, series.length);
  const scale = HEIGHT / Math.max(1, peak);
  // What happened at all is seen, however small beside the peak.
  const heightOf = (value: number) => (value === 0 ? 0 : Math.max(2, value * scale));
  const bars = series.map(({ failed, retried }, at) => {
    const low = heightOf(failed);
    const high = Math.min(heightOf(retried), HEIGHT - low);
    return {
      x: at * step,
      width: step - GAP,
      failed: { y: HEIGHT - low, height: low },
      retried: { y: HEIGHT - low - high, height: high },
    };
  });
  return { bars, peak };
}

export function HoursChart({ series }: { series: IssueHour[] }) {
  const zone = useZone();
  const { bars, peak } = barsOf(series);
  const sum = (key: "failed" | "retried") => series.reduce((all, hour) => all + hour[key], 0);
  const text = `Failures per hour in the last 7 days: ${count(sum("failed"))} in all, ${count(sum("retried"))} attempts tried again, at most ${count(peak)} in an hour.`;
  return (
    <figure className="px-3 pt-3 pb-2">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="h-24 w-full" role="img" aria-label={text}>
        <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} stroke="var(--line)" strokeWidth="1" vectorEffect="non-scaling-stroke" />
        {series.map((hour, at) => {
          const bar = bars[at]!;
          return (
            <g key={hour.at} opacity={hour.partial ? 0.5 : 1}>
              <title>{`${absolute(hour.at, zone)}\n${count(hour.failed)} failed, ${count(hour.retried)} tried again${hour.partial ? ", still running" : ""}`}</title>
              <rect x={bar.x} y="0" width={bar.width} height={HEIGHT} fill="transparent" />
              <rect x={bar.x} width={bar.width} {...bar.retried} fill="var(--fill-retried)" />
              <rect x={bar.x} width={bar.width} {...bar.failed} fill="var(--fill-failed)" />
            </g>
          );
        })}
      </svg>
      <figcaption className="num mt-1 flex justify-between text-xs text-ink-3">
        <span>7 days ago</span>
        <span>peak {count(peak)} an hour</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}
