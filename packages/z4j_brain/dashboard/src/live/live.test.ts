import { describe, expect, it } from "vitest";
import { parseFilter } from "@/filter/language";
import type { TaskSummary } from "@/services/tasks";
import { type Batch, Coalescer } from "./coalescer";
import { readMessage } from "./messages";
import { applyTasks, prepend, type TaskPages } from "./task-list";

const task = (id: string, state = "queued", at = 0, updated = at): TaskSummary =>
  ({
    engine: "celery",
    task_id: id,
    name: "app.send",
    state,
    first_at: `2026-01-01T00:00:${String(at).padStart(2, "0")}.000000Z`,
    updated_at: `2026-01-01T00:00:${String(updated).padStart(2, "0")}.000000Z`,
  }) as TaskSummary;
const pages = (...lists: TaskSummary[][]): TaskPages => ({
  pageParams: lists.map(() => null),
  pages: lists.map((items) => ({ items, next: null, count: 9, count_capped: false, offset: 1 })),
});
const ids = (data: TaskPages) => data.pages.map((page) => page.items.map((item) => item.task_id));
const everything = parseFilter("");

describe("Coalescer", () => {
  it("delivers once a frame, each task in its newest form", () => {
    const frames: (() => void)[] = [];
    const batches: Batch[] = [];
    const coalescer = new Coalescer((run) => frames.push(run), (batch) => batches.push(batch));
    coalescer.push({ type: "changes", offset: 1, tasks: [task("a"), task("b")] });
    coalescer.push({ type: "changes", offset: 2, tasks: [task("a", "running")], agents: ["x"] });
    coalescer.push({ type: "changes", offset: 3, agents: ["x"], issues: ["i"], bulk_runs: ["b"], many: true });
    expect(frames).toHaveLength(1);
    expect(batches).toHaveLength(0);
    frames.shift()!();
    expect(batches).toHaveLength(1);
    expect(batches[0]!.tasks.map(({ task_id, state }) => [task_id, state])).toEqual([
      ["b", "queued"],
      ["a", "running"],
    ]);
    expect(batches[0]).toMatchObject({ offset: 3, agents: ["x"], issues: ["i"], bulkRuns: ["b"], many: true });
    coalescer.push({ type: "changes", offset: 4, tasks: [task("c")] });
    frames.shift()!();
    expect(batches[1]).toMatchObject({ many: false, agents: [], issues: [], offset: 4 });
    expect(batches[1]!.tasks).toHaveLength(1);
  });
});

describe("applyTasks", () => {
  it("updates known rows in place and leaves other pages alone", () => {
    const before = pages([task("a"), task("b")], [task("c")]);
    const { pages: after, fresh } = applyTasks(before, [task("b", "running")], everything, 0, true);
    expect(after.pages[0]!.items[1]!.state).toBe("running");
    expect(after.pages[0]!.items[0]).toBe(before.pages[0]!.items[0]);
    expect(after.pages[1]).toBe(before.pages[1]);
    expect(fresh).toEqual([]);
  });

  it("never goes back to an older state", () => {
    const before = pages([task("a", "succeeded", 0, 5)]);
    const { pages: after } = applyTasks(before, [task("a", "running", 0, 4)], everything, 0, true);
    expect(after.pages[0]!.items[0]!.state).toBe("succeeded");
  });

  it("drops what left the filter only when told so", () => {
    const filter = parseFilter("state:running");
    const before = pages([task("a", "running"), task("b", "running")]);
    const gone = [task("a", "succeeded", 0, 1)];
    expect(ids(applyTasks(before, gone, filter, 0, true).pages)).toEqual([["b"]]);
    expect(ids(applyTasks(before, gone, filter, 0, false).pages)).toEqual([["a", "b"]]);
  });

  it("returns new tasks that belong, newest first, and says when it cannot judge", () => {
    const changes = [task("x", "failed", 1), task("y", "failed", 2), task("z", "queued", 3)];
    const applied = applyTasks(pages([]), changes, parseFilter("state:failed"), 0, true);
    expect(applied.fresh.map(({ task_id }) => task_id)).toEqual(["y", "x"]);
    expect(applied.unsure).toBe(false);
    expect(applyTasks(pages([]), changes, parseFilter("root:r"), 0, true).unsure).toBe(true);
  });

  it("keeps identity when nothing changed", () => {
    const before = pages([task("a")]);
    expect(applyTasks(before, [], everything, 0, true).pages).toBe(before);
  });
});

describe("prepend", () => {
  it("puts new tasks on top, once, and counts them", () => {
    const after = prepend(pages([task("b", "queued", 2), task("a", "queued", 1)]), [task("c", "queued", 3)]);
    expect(ids(after)).toEqual([["c", "b", "a"]]);
    expect(after.pages[0]!.count).toBe(10);
    expect(ids(prepend(after, [task("c", "running", 3)]))).toEqual([["c", "b", "a"]]);
  });
});

describe("readMessage", () => {
  it("reads what it knows", () => {
    expect(readMessage('{"type":"tick","offset":3,"now":"x","lag_ms":5}')?.type).toBe("tick");
  });
  it.each(["", "null", "[]", '{"type":"hello","offset":1}', '{"type":"tick"}', "{"])(
    "ignores %s",
    (text) => expect(readMessage(text)).toBeNull(),
  );
});
