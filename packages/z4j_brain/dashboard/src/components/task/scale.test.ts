import { describe, expect, it } from "vitest";
import type { Attempt } from "@/services/tasks";
import { scaleOf } from "./scale";

const at = (second: number) => new Date(second * 1000).toISOString();
const attempt = (published: number | null, started: number | null, ended: number | null) =>
  ({
    published_at: published === null ? null : at(published),
    received_at: null,
    started_at: started === null ? null : at(started),
    ended_at: ended === null ? null : at(ended),
  }) as Attempt;

describe("scaleOf", () => {
  it("lays waits and runs on one axis", () => {
    const scale = scaleOf([attempt(0, 2, 4), attempt(6, 7, 10)], 99_000)!;
    expect(scale.spanMs).toBe(10_000);
    expect(scale.bars.map(({ from, waitTo, to }) => [from, waitTo, to])).toEqual([[0, 20, 40], [60, 70, 100]]);
  });
  it("ends an open attempt now", () => {
    const scale = scaleOf([attempt(0, 5, null)], 10_000)!;
    expect(scale.bars[0]).toMatchObject({ waitTo: 50, to: 100, isOpen: true });
  });
  it("ends an attempt of which nobody knows with its last known moment", () => {
    const lost = { ...attempt(0, 5, null), state: "unknown" } as Attempt;
    expect(scaleOf([lost, attempt(0, 0, 10)], 90_000)!.bars[0]).toMatchObject({ waitTo: 50, to: 50, isOpen: false });
  });
  it("shows a task that waits as waiting only", () => {
    expect(scaleOf([attempt(0, null, null)], 4_000)!.bars[0]).toMatchObject({ from: 0, waitTo: 100, to: 100 });
  });
  it("survives clocks that disagree and attempts without a time", () => {
    const scale = scaleOf([attempt(5, 4, 3), attempt(null, null, null)], 9_000)!;
    expect(scale.bars).toHaveLength(1);
    for (const share of [scale.bars[0]!.from, scale.bars[0]!.to]) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(100);
    }
    expect(scaleOf([], 0)).toBeNull();
  });
});
