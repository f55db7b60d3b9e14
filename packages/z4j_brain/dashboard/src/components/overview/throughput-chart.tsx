import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useTheme } from "@/lib/theme";
import type { Bucket } from "@/services/overview";
import { useZone } from "@/time/clock";
import { clock } from "@/time/format";

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
export function stack(series: readonly Bucket[]): uPlot.AlignedData {
  const sums = series.map(() => 0);
  const layers = LAYERS.map(({ key }) => series.map((bucket, at) => (sums[at] = sums[at]! + bucket[key])));
  return [series.map(({ at }) => Date.parse(at) / 1000), ...layers.reverse()] as uPlot.AlignedData;
}

/** Ended tasks per minute, stacked; the minute that still runs is pale. */
export function ThroughputChart({ series }: { series: Bucket[] }) {
  const host = useRef<HTMLDivElement>(null);
  const newest = useRef(series);
  newest.current = series;
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const zone = useZone();
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(options(element, zone, () => newest.current), stack(newest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme, zone]);
  useEffect(() => plot.current?.setData(stack(series)), [series]);
  return <div ref={host} role="img" aria-label={describe(series)} className="h-37 w-full" />;
}

function describe(series: readonly Bucket[]): string {
  const sum = (key: (typeof LAYERS)[number]["key"]) => series.reduce((all, bucket) => all + bucket[key], 0);
  return `Tasks ended per minute in the last hour: ${sum("succeeded")} succeeded, ${sum("failed")} failed, ${sum("retried")} retried, ${sum("cancelled")} cancelled.`;
}

function options(element: HTMLElement, zone: "utc" | "local", series: () => Bucket[]): uPlot.Options {
  const color = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = {
    stroke: color("--ink-3"),
    font: '11px "Inter Variable", sans-serif',
    ticks: { show: false },
    grid: { stroke: color("--line"), width: 1 },
  };
  const bars = uPlot.paths.bars!({ size: [BAR_SHARE, 14], gap: 0 });
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
        values: (_plot, times) => times.map((at) => clock(new Date(at * 1000).toISOString(), zone, true)),
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
      draw: [(made) => fade(made, series(), color("--panel"))],
      setCursor: [(made) => tell(made, element, series())],
    },
  };
}

/** Lays the panel's colour over the last bar, because its minute is not over. */
function fade(made: uPlot, series: Bucket[], panel: string): void {
  const last = series.at(-1);
  if (!last?.partial) return;
  const at = made.valToPos(Date.parse(last.at) / 1000, "x", true);
  const half = made.bbox.width / Math.max(1, series.length) / 2 + 1;
  made.ctx.save();
  made.ctx.globalAlpha = 0.62;
  made.ctx.fillStyle = panel;
  made.ctx.fillRect(at - half, made.bbox.top, half * 2, made.bbox.height);
  made.ctx.restore();
}

function tell(made: uPlot, element: HTMLElement, series: Bucket[]): void {
  const bucket = series[made.cursor.idx ?? -1];
  element.title = bucket
    ? [
        `${clock(bucket.at, "local", true)}${bucket.partial ? ", still running" : ""}`,
        ...LAYERS.map(({ key, label }) => `${label}: ${bucket[key]}`),
        `Started: ${bucket.started}`,
      ].join("\n")
    : "";
}
