import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { bucketText, tickText } from "@/components/series/axis";
import { useTheme } from "@/lib/theme";
import type { Figures, Point, Resolution } from "@/services/series";
import { useZone } from "@/time/clock";
import { duration, type Zone } from "@/time/format";

const HEIGHT = 148;
/** The lines of the logarithmic scale: round durations, as people say them. */
const STEPS: readonly (readonly [number, string])[] = [
  [0.1, "0.1 ms"],
  [1, "1 ms"],
  [10, "10 ms"],
  [100, "100 ms"],
  [1_000, "1 s"],
  [10_000, "10 s"],
  [60_000, "1 min"],
  [600_000, "10 min"],
  [3_600_000, "1 h"],
  [36_000_000, "10 h"],
  [86_400_000, "1 d"],
  [864_000_000, "10 d"],
  [8_640_000_000, "100 d"],
];
const SHORTEST_MS = STEPS[0]![0];
const LONGEST_MS = STEPS.at(-1)![0];

interface Line {
  label: string;
  color: string;
  dash?: number[];
  of: (figures: Figures) => number | undefined;
}

export const LINES: readonly Line[] = [
  { label: "run p50", color: "--s-running", dash: [3, 3], of: (one) => one.run_ms?.p50 },
  { label: "run p95", color: "--s-running", of: (one) => one.run_ms?.p95 },
  { label: "wait p95", color: "--fill-retried", of: (one) => one.wait_ms?.p95 },
];

/** A line breaks where no task ended. */
export function lines(points: readonly Point[]): uPlot.AlignedData {
  const values = LINES.map(({ of }) =>
    points.map((point) => {
      const value = of(point);
      return value === undefined ? null : Math.min(LONGEST_MS, Math.max(SHORTEST_MS, value));
    }),
  );
  return [points.map(({ at }) => Date.parse(at) / 1000), ...values] as uPlot.AlignedData;
}

interface Drawn {
  points: readonly Point[];
  resolution: Resolution;
}

/** How long tasks waited and ran, on a logarithmic scale. */
export function LatencyChart(drawn: Drawn) {
  const { points, resolution } = drawn;
  const host = useRef<HTMLDivElement>(null);
  const newest = useRef(drawn);
  newest.current = drawn;
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const zone = useZone();
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(options(element, zone, () => newest.current), lines(newest.current.points), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme, zone, resolution]);
  useEffect(() => plot.current?.setData(lines(points)), [points]);
  return <div ref={host} role="img" aria-label={describe(points)} className="h-37 w-full" />;
}

function describe(points: readonly Point[]): string {
  const last = points.findLast((point) => point.run_ms !== null);
  if (!last) return "No task ended in this time.";
  const parts = LINES.map(({ label, of }) => `${label} ${duration(of(last))}`);
  return `How long tasks waited and ran; lately ${parts.join(", ")}.`;
}

function options(element: HTMLElement, zone: Zone, drawn: () => Drawn): uPlot.Options {
  const color = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = {
    stroke: color("--ink-3"),
    font: '11px "Inter Variable", sans-serif',
    ticks: { show: false },
    grid: { stroke: color("--line"), width: 1 },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [10, 22, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 5 }, y: false },
    scales: { y: { distr: 3, range: (_plot, low, high) => around(low, high) } },
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
        size: 52,
        splits: (_plot, _axis, low, high) => STEPS.map(([at]) => at).filter((at) => at >= low && at <= high),
        filter: (_plot, values) => values,
        values: (_plot, values) => values.map((value) => STEPS.find(([at]) => at === value)?.[1] ?? ""),
      },
    ],
    series: [
      {},
      ...LINES.map(({ label, color: name, dash }) => ({
        label,
        stroke: color(name),
        width: 1.6,
        dash,
        points: { size: 4, fill: color(name) },
      })),
    ],
    hooks: { setCursor: [(made) => tell(made, element, drawn(), zone)] },
  };
}

/** The steps around the values. */
export function around(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [1, 1_000];
  const below = STEPS.findLastIndex(([at]) => at <= low);
  const above = STEPS.findIndex(([at]) => at >= high);
  const from = Math.max(0, below);
  const to = above === -1 ? STEPS.length - 1 : Math.max(above, from + 1);
  return [STEPS[from]![0], STEPS[to]![0]];
}

function tell(made: uPlot, element: HTMLElement, { points, resolution }: Drawn, zone: Zone): void {
  const point = points[made.cursor.idx ?? -1];
  element.title = point
    ? [bucketText(point.at, resolution, zone), ...LINES.map(({ label, of }) => `${label}: ${duration(of(point))}`)].join("\n")
    : "";
}
