import { describe, expect, it } from "vitest";
import { withTotals } from "@/components/overview/queues";
import { bucketText, tickText } from "@/components/series/axis";
import { beginning, type Group, validateRange } from "./series";

describe("beginning", () => {
  const noon = Date.parse("2026-03-01T12:00:00Z");
  it("leaves a bucket out, so that with the present one the span is full", () => {
    expect(beginning("1h", noon)).toBe("2026-03-01T11:01:00.000Z");
    expect(beginning("24h", noon)).toBe("2026-02-28T13:00:00.000Z");
    expect(beginning("30d", noon)).toBe("2026-01-31T12:00:00.000Z");
  });
});

describe("validateRange", () => {
  it("keeps what is no default and drops what is none", () => {
    expect(validateRange({ range: "7d" })).toEqual({ range: "7d" });
    for (const range of ["1h", "8d", "", 5, undefined]) expect(validateRange({ range })).toEqual({});
  });
});

describe("texts of the axis", () => {
  const at = "2026-03-01T14:05:00Z";
  it("are as precise as the buckets", () => {
    expect(bucketText(at, "minute", "utc")).toBe("14:05");
    expect(bucketText(at, "hour", "utc")).toBe("Mar 1, 14:05");
    expect(bucketText(at, "day", "local")).toBe("Mar 1 (UTC)");
    expect(tickText(Date.parse(at) / 1000, 3600, "utc")).toBe("14:05");
    expect(tickText(Date.parse(at) / 1000, 86_400, "utc")).toBe("Mar 1");
  });
});

describe("withTotals", () => {
  const total: Group["total"] = {
    published: 0, started: 0, succeeded: 2, failed: 0, retried: 0, cancelled: 0, rejected: 0, wait_ms: null, run_ms: null,
  };
  const group = (queue: string, other = false): Group => ({ engine: "rq", queue, name: null, other, ended: 2, total });
  const row = { engine: "rq", queue: "a", waiting: 5, running: 0, succeeded: 0, failed: 0, spark: [] };
  const now = { ...row, wait_p50_ms: null, wait_p95_ms: null, run_p50_ms: null, run_p95_ms: null };
  it("shows the queues of now and of the span, each once", () => {
    const lines = withTotals([now], [group("a"), group("b"), group("rest", true)]);
    expect(lines.map(({ queue, figures }) => [queue.queue, queue.waiting, figures?.succeeded])).toEqual([
      ["a", 5, 2],
      ["b", 0, 2],
    ]);
  });
});
