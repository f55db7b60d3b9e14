import { describe, expect, it } from "vitest";
import type { ActionsAnswer, ActionView } from "@/services/actions";
import type { WorkerView } from "@/services/workers";
import { byHost, rowsOf } from "./hosts";
import { clockText, clockWarning, cpu, drops, engineText, lag, presence } from "./health";
import { actionsOf } from "./offers";

let made = 0;
const worker = (worker_id: string, change: Partial<WorkerView> = {}): WorkerView =>
  ({
    id: `${worker_id}-${++made}`,
    worker_id,
    agent: { id: "a", name: "shop" },
    host: "h1",
    pid: made,
    engines: [{ name: "celery", version: "5.5.3" }],
    online: true,
    running: 0,
    last_seen: "2026-01-01T00:00:00.000000Z",
    ...change,
  }) as WorkerView;

describe("byHost", () => {
  it("orders hosts and, inside them, those online first and then names by their figures", () => {
    const { hosts } = byHost([
      worker("w10"),
      worker("a", { online: false, running: 1 }),
      worker("w2"),
      worker("x", { host: "h0" }),
    ]);
    expect(hosts.map(({ host, workers }) => [host, workers.map((each) => each.worker_id)])).toEqual([
      ["h0", ["x"]],
      ["h1", ["w2", "w10", "a"]],
    ]);
  });

  it("folds what is gone, the last one first, and keeps what left tasks behind in sight", () => {
    const grouped = byHost([
      worker("old", { online: false, last_seen: "2026-01-01T00:00:01.000000Z" }),
      worker("new", { online: false, last_seen: "2026-01-01T00:00:02.000000Z" }),
      worker("lost", { online: false, running: 2 }),
    ]);
    expect(grouped.gone.map((each) => each.worker_id)).toEqual(["new", "old"]);
    expect(rowsOf(grouped, false).map((each) => each.worker_id)).toEqual(["lost"]);
    expect(rowsOf(grouped, true).map((each) => each.worker_id)).toEqual(["lost", "new", "old"]);
  });
});

describe("health", () => {
  it("tells a process that went from one that left tasks behind", () => {
    expect(presence({ online: true, running: 3 })).toEqual({ tone: "good", text: "online" });
    expect(presence({ online: false, running: 0 })).toEqual({ tone: "quiet", text: "gone" });
    expect(presence({ online: false, running: 1 })).toEqual({ tone: "bad", text: "lost" });
  });

  it.each([
    [12, "quiet", "12 ms"],
    [2_500, "warn", "2.50 s"],
    [31_000, "bad", "31.0 s"],
    [-3, "quiet", "0 ms"],
    [null, "quiet", "–"],
  ])("lag of %s", (lag_ms, tone, text) => {
    expect(lag({ online: true, lag_ms })).toEqual({ tone, text });
    expect(lag({ online: false, lag_ms }).text).toBe("–");
  });

  it.each([
    [0, "as the server's", "quiet"],
    [40, "40 ms ahead of the server", "quiet"],
    [-1_500, "1.50 s behind the server", "quiet"],
    [-3_000, "3.00 s behind the server", "warn"],
    [null, "–", "quiet"],
  ])("clock offset of %s", (offset, text, tone) => {
    expect(clockText(offset)).toEqual({ text, tone });
  });

  it("warns of a clock that misleads", () => {
    expect(clockWarning({ clock_offset_ms: null })).toBeNull();
    expect(clockWarning({ clock_offset_ms: 1_999 })).toBeNull();
    expect(clockWarning({ clock_offset_ms: 3_600_000 })).toEqual({ tone: "warn", text: "clock 1 h 00 m ahead of the server" });
  });

  it("speaks up about drops", () => {
    expect(drops({ dropped: 0 }).tone).toBe("quiet");
    expect(drops({ dropped: 1_200 })).toEqual({ tone: "bad", text: "1,200" });
  });

  it("prints figures and engines", () => {
    expect([cpu(null), cpu(0.4), cpu(99.6)]).toEqual(["–", "0%", "100%"]);
    expect(engineText([{ name: "celery", version: "5.5" }, { name: "lantern", version: "" }])).toBe(
      "celery 5.5, lantern",
    );
  });
});

describe("actionsOf", () => {
  const action = (engine: string, name: string, target: ActionView["target"], destructive = false): ActionView =>
    ({ engine, name, title: name, target, destructive, permission: "command.custom" }) as ActionView;
  const answer: ActionsAnswer = {
    items: [
      action("celery", "purge", "queue", true),
      action("celery", "retry", "task"),
      action("celery", "shrink", "worker"),
      action("lantern", "refill", "engine"),
    ],
    absent: [
      { engine: "celery", name: "pause", reason: "No." },
      { engine: "lantern", name: "x", reason: "No." },
    ],
  };

  it("keeps what this worker's engines offer on more than one task", () => {
    const { offered, absent } = actionsOf(worker("w"), answer);
    expect(offered.map(({ name }) => name)).toEqual(["shrink", "purge"]);
    expect(absent.map(({ name }) => name)).toEqual(["pause"]);
  });
});
