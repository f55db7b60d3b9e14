import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useTheme } from "@/lib/theme";
import type { QueuePoint } from "@/services/queues";
import { useZone } from "@/time/clock";
import { clock, count, type Zone } from "@/time/format";

const HEIGHT = 148;

export interface Line {
  key: "waiting_max" | "arrivals" | "completions";
  label: string;
  /** The name of a colour in tokens.css. */
  color: string;
  fill?: boolean;
}

interface CourseChartProps {
  label: string;
  points: QueuePoint[];
  lines: Line[];
}

/** Lines over time; where nobody sampled there is a gap. The step that still runs is left out of
 * counts, which would only seem to fall. */
export function courseData(points: readonly QueuePoint[], lines: readonly Line[]): uPlot.AlignedData {
  const values = lines.map(({ key }) =>
    points.map((point) => (point.partial && key !== "waiting_max" ? null : point[key])),
  );
  return [points.map(({ at }) => Date.parse(at) / 1000), ...values] as uPlot.AlignedData;
}

export function CourseChart({ label, points, lines }: CourseChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const newest = useRef({ points, lines });
  newest.current = { points, lines };
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const zone = useZone();
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const { points: first, lines: drawn } = newest.current;
    const made = new uPlot(options(element, zone, drawn, () => newest.current.points), courseData(first, drawn), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme, zone]);
  useEffect(() => plot.current?.setData(courseData(points, newest.current.lines)), [points]);
  return <div ref={host} role="img" aria-label={describe(label, points, lines)} className="h-37 w-full" />;
}

function describe(label: string, points: readonly QueuePoint[], lines: readonly Line[]): string {
  const said = lines.map(({ key, label: name }) => {
    const known = points.map((point) => point[key]).filter((value) => value !== null);
    return known.length > 0 ? `${name} at most ${count(Math.max(...known))}` : `${name} not known`;
  });
  return `${label}. ${said.join(", ")}.`;
}

function options(element: HTMLElement, zone: Zone, lines: readonly Line[], points: () => QueuePoint[]): uPlot.Options {
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
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, (high ?? 0) * 1.08)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 70,
        size: 24,
        values: (_plot, times) => times.map((at) => timeText(at, times, zone)),
      },
      {
        ...axis,
        size: 56,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000],
        values: (_plot, values) => values.map((value) => value.toLocaleString("en-US")),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, color: name, fill }) => ({
        label,
        stroke: color(name),
        fill: fill ? `color-mix(in oklch, ${color(name)} 14%, transparent)` : undefined,
        width: 1.5,
        spanGaps: false,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(made) => tell(made, element, points(), lines, zone)] },
  };
}

/** The day where a step of the axis is a day. */
function timeText(at: number, times: number[], zone: Zone): string {
  const iso = new Date(at * 1000).toISOString();
  const isDaily = times.length > 1 && times[1]! - times[0]! >= 86_400;
  return isDaily ? iso.slice(5, 10) : clock(iso, zone, true);
}

function tell(made: uPlot, element: HTMLElement, points: QueuePoint[], lines: readonly Line[], zone: Zone): void {
  const point = points[made.cursor.idx ?? -1];
  element.title = point
    ? [
        `${clock(point.at, zone, true)}${point.partial ? ", still running" : ""}`,
        ...lines.map(({ key, label }) => `${label}: ${point[key] === null ? "not sampled" : count(point[key])}`),
      ].join("\n")
    : "";
}
