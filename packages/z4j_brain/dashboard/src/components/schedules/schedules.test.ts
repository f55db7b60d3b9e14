import { describe, expect, it } from "vitest";
import { changesOf, type Schema } from "@/schema/schema";
import { validateScheduleSearch } from "@/lib/url-state";
import type { ActionView } from "@/services/actions";
import type { ScheduleDetail, ScheduleView, StoreView } from "@/services/schedules";
import { driftText, stateOf, storeTrouble } from "./say";
import { offeredFor } from "./schedule-actions";

const schedule = (fields: Partial<ScheduleView> = {}) =>
  ({ enabled: true, gone_at: null, missed: false, ...fields }) as ScheduleView;
const store = (fields: Partial<StoreView> = {}) =>
  ({ unread: false, error: null, known: 3, total: 3, due: 0, actions: [], absent: [], ...fields }) as StoreView;
const action = (name: string, target = "schedule") =>
  ({ name, target, permission: "command.schedule" }) as ActionView;

describe("what is said of schedules", () => {
  it("names the gravest state", () => {
    expect(stateOf(schedule())).toBe("on");
    expect(stateOf(schedule({ missed: true }))).toBe("missed");
    expect(stateOf(schedule({ missed: true, enabled: false }))).toBe("paused");
    expect(stateOf(schedule({ enabled: false, gone_at: "2026-01-01T00:00:00Z" }))).toBe("gone");
  });

  it("tells a drift and never a negative one", () => {
    expect([driftText(null), driftText(-300), driftText(1_240)]).toEqual(["–", "0 ms", "+1.24 s"]);
  });

  it("says why a store may not be as it is shown", () => {
    expect(storeTrouble(store())).toBeNull();
    expect(storeTrouble(store({ unread: true, due: 2 }))).toContain("2 were due since");
    expect(storeTrouble(store({ unread: true, error: "OSError: away" }))).toContain("OSError: away");
    expect(storeTrouble(store({ total: 1_240 }))).toContain("3 of 1,240");
  });
});

describe("what can be done", () => {
  const detail = { schedule: schedule(), absent: { delete: "It stands in the code." } } as unknown as ScheduleDetail;
  const all = store({
    actions: [action("delete"), action("resume"), action("pause"), action("run_now"), action("create", "scheduler")],
  });

  it("offers what would change something, the harmless first", () => {
    const offered = offeredFor(detail, all, ["command.schedule"]);
    expect(offered.map(({ view }) => view.name)).toEqual(["run_now", "pause", "delete"]);
    expect(offered.map(({ obstacle }) => obstacle)).toEqual([null, null, "It stands in the code."]);
  });

  it("says what the role lacks", () => {
    expect(offeredFor(detail, all, [])[0]?.obstacle).toContain("command.schedule");
  });

  it("sends only what was changed, and what may not be left out", () => {
    const schema: Schema = {
      type: "object",
      properties: { every_s: { type: "number" }, on: { type: "boolean", default: true }, job: { type: "string" } },
      required: ["job"],
    };
    const before = { every_s: 60, on: false, job: "sweep" };
    expect(changesOf(schema, before, { ...before, on: true })).toEqual({ on: true, job: "sweep" });
    expect(changesOf(schema, before, { ...before, every_s: undefined })).toEqual({ job: "sweep" });
  });

  it("keeps a known state in the address and drops others", () => {
    expect(validateScheduleSearch({ state: "missed" })).toEqual({ state: "missed" });
    expect(validateScheduleSearch({ state: "<script>" })).toEqual({});
  });
});
