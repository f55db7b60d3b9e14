import { describe, expect, it } from "vitest";
import type { TaskSummary } from "@/services/tasks";
import { parseFilter } from "./language";
import { matches, moment } from "./match";

const now = Date.parse("2026-03-01T12:00:00Z");
const task = {
  engine: "celery",
  task_id: "abc-1",
  name: "app.tasks.send_invoice",
  queue: "email",
  state: "failed",
  worker: "w1",
  first_at: "2026-03-01T11:30:00.000000Z",
  exception_type: "ValueError",
  issue: null,
  retried_from: null,
} as TaskSummary;
const said = (text: string) => matches(parseFilter(text), task, now);

describe("matches", () => {
  it.each([
    ["", true],
    ["state:failed,running queue:email", true],
    ["state:succeeded", false],
    ["-state:failed", false],
    ["-worker:w2", true],
    ["name:~INVOICE", true],
    ["name:invoice", false],
    ["invoice", true],
    ["abc", true],
    ["id:abc", true],
    ["id:bc", false],
    ["since:1h", true],
    ["since:15m", false],
    ["until:2026-03-01T11:00", false],
    ["until:2026-03-01T11:45", true],
    ["exception:ValueError", true],
  ])("%s is %s", (text, expected) => expect(said(text)).toBe(expected));

  it("does not guess what the summary does not hold", () => {
    expect(said("parent:x")).toBeNull();
    expect(said("parent:x state:running")).toBe(false);
    expect(said("colour:red")).toBeNull();
  });
});

describe("moment", () => {
  it("reads spans and times", () => {
    expect(moment("90s", now)).toBe(now - 90_000);
    expect(moment("2w", now)).toBe(now - 14 * 86_400_000);
    expect(moment("2026-01-01", now)).toBe(Date.parse("2026-01-01T00:00:00Z"));
    expect(moment("2026-01-01T02:00+02:00", now)).toBe(Date.parse("2026-01-01T00:00:00Z"));
    expect(moment("yesterday", now)).toBeNull();
  });
});
