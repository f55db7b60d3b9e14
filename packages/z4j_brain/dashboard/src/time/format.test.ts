import { describe, expect, it } from "vitest";
import { absolute, bytes, cappedCount, clock, duration, percent, relative } from "./format";

describe("duration", () => {
  it.each([
    [null, "–"],
    [0, "0 ms"],
    [0.4, "<1 ms"],
    [83.2, "83 ms"],
    [1240, "1.24 s"],
    [9996, "10.0 s"],
    [59_940, "59.9 s"],
    [59_960, "1 m 00 s"],
    [124_000, "2 m 04 s"],
    [3_599_600, "1 h 00 m"],
    [11_100_000, "3 h 05 m"],
    [176_400_000, "2 d 1 h"],
    [-1500, "−1.50 s"],
  ])("%s is %s", (ms, text) => expect(duration(ms)).toBe(text));
});

describe("relative", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  it.each([
    [null, "–"],
    ["2026-03-01T11:59:59.5Z", "now"],
    ["2026-03-01T11:59:48Z", "12 s ago"],
    ["2026-03-01T11:58:01Z", "1 min ago"],
    ["2026-03-01T06:00:00Z", "6 h ago"],
    ["2026-02-26T12:00:00Z", "3 d ago"],
    ["2026-03-01T12:05:00Z", "in 5 min"],
  ])("%s is %s", (at, text) => expect(relative(at, now)).toBe(text));
});

describe("absolute", () => {
  const at = "2026-03-01T12:00:00.123456Z";
  it("writes UTC to the millisecond", () => {
    expect(absolute(at, "utc")).toBe("2026-03-01 12:00:00.123 UTC");
    expect(clock(at, "utc", true)).toBe("12:00");
  });
  it("names the zone of local times", () => {
    expect(absolute(at, "local")).toMatch(/^2026-0\d-\d\d \d\d:\d\d:00\.123 [+−]\d\d:\d\d$/);
  });
  it("shows what is no time as it is", () => expect(absolute("soon", "utc")).toBe("soon"));
});

describe("figures", () => {
  it("marks a capped count", () => expect(cappedCount(10000, true)).toBe("10,000+"));
  it("writes bytes", () => {
    expect(bytes(512)).toBe("512 B");
    expect(bytes(222_700_000)).toBe("212 MiB");
    expect(bytes(null)).toBe("–");
  });
  it("writes shares", () => {
    expect([percent(0, 0), percent(0, 9), percent(1, 9999), percent(1, 24), percent(3, 8)]).toEqual([
      "–",
      "0%",
      "<0.1%",
      "4.2%",
      "38%",
    ]);
  });
});
