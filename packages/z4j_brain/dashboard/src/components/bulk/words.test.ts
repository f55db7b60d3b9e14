import { describe, expect, it } from "vitest";
import type { BulkRun } from "@/services/bulk-runs";
import { endedCount, filterText, timeLeft } from "./words";

const run = (state: string): BulkRun =>
  ({
    state,
    rate: 20,
    total: 100,
    counts: { waiting: 60, sent: 10, succeeded: 20, failed: 4, expired: 3, skipped: 2, refused: 1 },
  }) as BulkRun;

describe("bulk runs", () => {
  it("count what has its end", () => expect(endedCount(run("running"))).toBe(30));
  it("tell the time left only while they go on", () => {
    expect(timeLeft(run("running"))).toBe(3_000);
    expect(timeLeft(run("canary"))).toBe(3_000);
    for (const state of ["preparing", "paused", "waiting", "aborting", "aborted", "done"]) {
      expect(timeLeft(run(state))).toBeNull();
    }
  });
  it("name an empty filter", () => expect(filterText("")).toBe("every task"));
});
