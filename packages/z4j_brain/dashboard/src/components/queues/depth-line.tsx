const [WIDTH, HEIGHT, EDGE] = [96, 18, 0.75];

/** The parts of a line that have values, as SVG writes their points; a gap stays a gap. */
export function depthRuns(values: readonly (number | null)[]): string[] {
  const peak = Math.max(1, ...values.map((value) => value ?? 0));
  const step = WIDTH / Math.max(1, values.length - 1);
  const runs: string[][] = [[]];
  values.forEach((value, at) => {
    if (value === null) runs.push([]);
    else runs.at(-1)!.push(`${round(at * step)},${round(HEIGHT - EDGE - (value / peak) * (HEIGHT - 2 * EDGE))}`);
  });
  return runs.filter((run) => run.length > 0).map((run) => run.join(" "));
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** Depth over the last hour in steps of two minutes. */
export function DepthLine({ values, name }: { values: (number | null)[]; name: string }) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const text = `${name}: depth in the last hour; at most ${Math.max(...known)}`;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className="inline-block h-4.5 w-24 align-middle" role="img" aria-label={text}>
      <title>{text}</title>
      {depthRuns(values).map((run) =>
        run.includes(" ") ? (
          <polyline key={run} points={run} fill="none" stroke="var(--accent)" strokeWidth="1.2" strokeLinejoin="round" />
        ) : (
          <circle key={run} cx={run.split(",")[0]} cy={run.split(",")[1]} r="1.2" fill="var(--accent)" />
        ),
      )}
    </svg>
  );
}
