import { describe, expect, it } from "vitest";
import type { Figures, Group } from "@/services/series";
import { failureRate, nextOrder, sorted } from "./sorting";

const nothing: Figures = {
  published: 0, started: 0, succeeded: 0, failed: 0, retried: 0, cancelled: 0, rejected: 0, wait_ms: null, run_ms: null,
};

function group(name: string, ended: number, failed: number, run?: number, other = false): Group {
  const run_ms = run === undefined ? null : { p50: run, p95: run, p99: run };
  return { engine: "celery", queue: null, name, other, ended, total: { ...nothing, succeeded: ended - failed, failed, run_ms } };
}

describe("sorted", () => {
  const groups = [group("b", 5, 1, 10), group("rest", 99, 0, 99, true), group("a", 5, 0), group("c", 1, 1, 20)];
  const names = (by: Parameters<typeof nextOrder>[1], isDescending = true) =>
    sorted(groups, { by, isDescending }).map(({ name }) => name);
  it("puts the greatest first, equal ones by name, and all others last", () => {
    expect(names("ended")).toEqual(["a", "b", "c", "rest"]);
    expect(names("rate")).toEqual(["c", "b", "a", "rest"]);
    expect(names("run95")).toEqual(["c", "b", "a", "rest"]);
    expect(names("name", false)).toEqual(["a", "b", "c", "rest"]);
  });
  it("knows no rate where nothing succeeded or failed", () => {
    expect(failureRate(group("x", 0, 0))).toBe(-1);
  });
});

describe("nextOrder", () => {
  it("turns round what is chosen again", () => {
    expect(nextOrder({ by: "ended", isDescending: true }, "ended")).toEqual({ by: "ended", isDescending: false });
    expect(nextOrder({ by: "ended", isDescending: true }, "name")).toEqual({ by: "name", isDescending: false });
    expect(nextOrder({ by: "name", isDescending: false }, "failed")).toEqual({ by: "failed", isDescending: true });
  });
});
