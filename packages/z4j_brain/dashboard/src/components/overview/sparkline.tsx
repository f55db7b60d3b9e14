const EDGE = 0.5;

export const peakOf = (values: readonly number[]): number => values.reduce((high, value) => Math.max(high, value), 0);

/** Points of a line from zero to the peak, as SVG writes them. */
export function sparkPoints(values: readonly number[], width: number, height: number): string[] {
  const peak = Math.max(1, peakOf(values));
  const step = width / Math.max(1, values.length - 1);
  return values.map((value, at) => {
    const y = height - EDGE - (value / peak) * (height - 2 * EDGE);
    return `${round(at * step)},${round(y)}`;
  });
}

const round = (value: number): number => Math.round(value * 100) / 100;

export function Sparkline({ values, label, unit = "minute" }: { values: number[]; label: string; unit?: string }) {
  const [width, height] = [96, 18];
  const points = sparkPoints(values, width, height);
  const text = `${label}; peak ${peakOf(values)} per ${unit}`;
  return (
    <svg viewBox={`0 0 ${width} ${height}`} className="h-4.5 w-24" role="img" aria-label={text}>
      <title>{text}</title>
      {points.length > 1 && (
        <>
          <polygon points={`0,${height} ${points.join(" ")} ${width},${height}`} fill="var(--accent)" opacity="0.12" />
          <polyline points={points.join(" ")} fill="none" stroke="var(--accent)" strokeWidth="1.2" strokeLinejoin="round" />
        </>
      )}
    </svg>
  );
}
