import { describe, expect, it } from "vitest";
import { barsOf } from "./hours-chart";

const hour = (failed: number, retried = 0) => ({ at: "2026-03-01T12:00:00Z", failed, retried });

describe("barsOf", () => {
  it("scales to the peak of both counts, and shows what is small", () => {
    const { bars, peak } = barsOf([hour(0), hour(50, 50), hour(1), hour(0, 1)]);
    expect(peak).toBe(100);
    expect(bars[0]).toMatchObject({ failed: { height: 0 }, retried: { height: 0 } });
    expect(bars[1]).toMatchObject({ failed: { y: 48, height: 48 }, retried: { y: 0, height: 48 } });
    expect(bars[2]!.failed.height).toBe(2);
    expect(bars[3]!.retried).toEqual({ y: 94, height: 2 });
  });

  it("never draws beyond its height", () => {
    const { bars } = barsOf([hour(1_000_000, 1)]);
    expect(bars[0]!.retried.y).toBeGreaterThanOrEqual(0);
  });

  it("draws nothing from nothing", () => {
    expect(barsOf([])).toEqual({ bars: [], peak: 0 });
  });
});
