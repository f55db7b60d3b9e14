import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useTheme } from "@/lib/theme";
import { bucketText, tickText } from "@/components/series/axis";
import { spokenRange } from "@/components/series/range-picker";
import type { Point, Range, Resolution } from "@/services/series";
import { useZone } from "@/time/clock";
import type { Zone } from "@/time/format";

const HEIGHT = 148;
const BAR_SHARE = 0.72;
// From the bottom up; each is drawn as the sum of itself and what lies below it.
const LAYERS = [
  { key: "succeeded", label: "Succeeded", color: "--fill-succeeded" },
  { key: "cancelled", label: "Cancelled", color: "--fill-cancelled" },
  { key: "retried", label: "Retried", color: "--fill-retried" },
  { key: "failed", label: "Failed", color: "--fill-failed" },
] as const;

/** Sums from the bottom up, in the order in which they are painted: the highest first. */
export function stack(series: readonly Point[]): uPlot.AlignedData {
  const sums = series.map(() => 0);
  const layers = LAYERS.map(({ key }) => series.map((bucket, at) => (sums[at] = sums[at]! + bucket[key])));
  return [series.map(({ at }) => Date.parse(at) / 1000), ...layers.reverse()] as uPlot.AlignedData;
}

interface Drawn {
  series: readonly Point[];
  resolution: Resolution;
  range: Range;
}

/** Ended tasks per bucket, stacked; a bucket that still runs is pale. */
export function ThroughputChart(drawn: Drawn) {
  const { series, resolution } = drawn;
  const host = useRef<HTMLDivElement>(null);
  const newest = useRef(drawn);
  newest.current = drawn;
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const zone = useZone();
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(options(element, zone, () => newest.current), stack(newest.current.series), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme, zone, resolution]);
  useEffect(() => plot.current?.setData(stack(series)), [series]);
  return <div ref={host} role="img" aria-label={describe(drawn)} className="h-37 w-full" />;
}

function describe({ series, resolution, range }: Drawn): string {
  const sum = (key: (typeof LAYERS)[number]["key"]) => series.reduce((all, bucket) => all + bucket[key], 0);
  return `Tasks ended per ${resolution} in ${spokenRange(range)}: ${sum("succeeded")} succeeded, ${sum("failed")} failed, ${sum("retried")} retried, ${sum("cancelled")} cancelled.`;
}

function options(element: HTMLElement, zone: Zone, drawn: () => Drawn): uPlot.Options {
  const color = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = {
    stroke: color("--ink-3"),
    font: '11px "Inter Variable", sans-serif',
    ticks: { show: false },
    grid: { stroke: color("--line"), width: 1 },
  };
  const bars = uPlot.paths.bars!({ size: [BAR_SHARE, 26], gap: 0 });
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [10, 22, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.08)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 70,
        size: 24,
        values: (_plot, times, _axis, _space, step) => times.map((at) => tickText(at, step, zone)),
      },
      {
        ...axis,
        size: 48,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000],
        values: (_plot, values) => values.map((value) => value.toLocaleString("en-US")),
      },
    ],
    series: [
      {},
      ...[...LAYERS].reverse().map(({ label, color: name }) => ({
        label,
        fill: color(name),
        width: 0,
        points: { show: false },
        paths: bars,
      })),
    ],
    hooks: {
      draw: [(made) => fade(made, drawn().series, color("--panel"))],
      setCursor: [(made) => tell(made, element, drawn(), zone)],
    },
  };
}

/** Lays the panel's colour over the bars of which the time is not over. */
function fade(made: uPlot, series: readonly Point[], panel: string): void {
  const half = made.bbox.width / Math.max(1, series.length) / 2 + 1;
  made.ctx.save();
  made.ctx.globalAlpha = 0.62;
  made.ctx.fillStyle = panel;
  for (const { at, partial } of series) {
    if (!partial) continue;
    const middle = made.valToPos(Date.parse(at) / 1000, "x", true);
    made.ctx.fillRect(middle - half, made.bbox.top, half * 2, made.bbox.height);
  }
  made.ctx.restore();
}

function tell(made: uPlot, element: HTMLElement, { series, resolution }: Drawn, zone: Zone): void {
  const point = series[made.cursor.idx ?? -1];
  element.title = point
    ? [
        `${bucketText(point.at, resolution, zone)}${point.partial ? ", not complete" : ""}`,
        ...LAYERS.map(({ key, label }) => `${label}: ${point[key].toLocaleString("en-US")}`),
        `Started: ${point.started.toLocaleString("en-US")}`,
      ].join("\n")
    : "";
}
