import { describe, expect, it } from "vitest";
import { peakOf, sparkPoints } from "./sparkline";

describe("sparkPoints", () => {
  it("draws zeros on the ground and the peak on top", () => {
    expect(sparkPoints([0, 5, 10], 20, 10)).toEqual(["0,9.5", "10,5", "20,0.5"]);
  });
  it("draws a quiet queue as a flat line", () => {
    expect(sparkPoints([0, 0], 10, 10)).toEqual(["0,9.5", "10,9.5"]);
    expect(sparkPoints([], 10, 10)).toEqual([]);
    expect(peakOf([])).toBe(0);
  });
});
