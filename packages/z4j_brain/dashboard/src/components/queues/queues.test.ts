import { describe, expect, it } from "vitest";
import type { QueuePoint, QueueView } from "@/services/queues";
import { courseData } from "./course-chart";
import { depthRuns } from "./depth-line";
import { asOf, consumersText, drainText, noDepth, placeText, rate } from "./say";

const queue = (change: Partial<QueueView> = {}): QueueView =>
  ({
    engine: "celery",
    transport: "redis",
    broker: "00000000000000aa",
    waiting: 30,
    stale: false,
    as_of: "2026-01-01T10:31:12.000000Z",
    arrivals_per_min: 5,
    completions_per_min: 2,
    drain_s: null,
    unconsumed: false,
    consumer_count: 0,
    broker_consumers: null,
    ...change,
  }) as QueueView;

describe("a depth", () => {
  it("of the past says of when it is", () => {
    expect(asOf(queue({ stale: true }), "utc")).toBe("as of 10:31");
    expect(asOf(queue(), "utc")).toBeNull();
    expect(asOf(queue({ stale: true, as_of: null }), "utc")).toBeNull();
  });

  it("that is missing says why", () => {
    expect(noDepth(queue({ broker: null }), 10)).toContain("No connected process");
    expect(noDepth(queue(), 0)).toContain("Z4J_QUEUE_SAMPLE_S");
    expect(noDepth(queue({ as_of: null }), 10)).toBe("Not asked yet.");
    expect(noDepth(queue(), 10)).toBe("Its broker cannot tell.");
  });

  it("is drawn with a gap where nobody sampled", () => {
    expect(depthRuns([0, 4, null, 2, null, null])).toEqual(["0,17.25 19.2,0.75", "57.6,9"]);
    expect(depthRuns([null, null])).toEqual([]);
  });
});

describe("the time until it is empty", () => {
  it("is told only where it can be", () => {
    expect(drainText(queue({ drain_s: 120 }))).toBe("2 m 00 s");
    expect(drainText(queue({ drain_s: 0, waiting: 0 }))).toBe("empty");
    expect(drainText(queue())).toBe("grows");
    expect(drainText(queue({ arrivals_per_min: 0, completions_per_min: 0 }))).toBe("stands still");
    expect(drainText(queue({ arrivals_per_min: null }))).toBe("–");
    expect(drainText(queue({ stale: true }))).toBe("–");
    expect(drainText(queue({ waiting: null }))).toBe("–");
  });
});

describe("words", () => {
  it("name consumers, place and rates", () => {
    expect(consumersText(queue({ unconsumed: true }))).toBe("nobody");
    expect(consumersText(queue({ consumer_count: 3 }))).toBe("3");
    expect(consumersText(queue({ broker_consumers: 2 }))).toBe("2 by the broker");
    expect(consumersText(queue())).toBe("–");
    expect(placeText(queue())).toBe("celery · redis");
    expect(placeText(queue({ transport: null }))).toBe("celery");
    expect([rate(null), rate(0), rate(3.4), rate(1234.5)]).toEqual(["–", "0", "3.4", "1,235"]);
  });
});

it("counts of the running step are left out, its depth is not", () => {
  const point = (at: string, change: Partial<QueuePoint>): QueuePoint =>
    ({ at, waiting_max: null, arrivals: 1, completions: 2, ...change }) as QueuePoint;
  const points = [
    point("2026-01-01T00:00:00.000000Z", {}),
    point("2026-01-01T00:01:00.000000Z", { waiting_max: 7, partial: true }),
  ];
  const lines = (["waiting_max", "arrivals"] as const).map((key) => ({ key, label: key, color: "--ink" }));
  expect(courseData(points, lines)).toEqual([
    [1767225600, 1767225660],
    [null, 7],
    [1, null],
  ]);
});
