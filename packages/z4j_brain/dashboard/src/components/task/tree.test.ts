import { describe, expect, it } from "vitest";
import type { TreeTask } from "@/services/tasks";
import { nest, tally } from "./tree";

const task = (task_id: string, parent_id: string | null, second: number, state = "succeeded"): TreeTask =>
  ({ task_id, parent_id, group_id: null, state, first_at: `2026-01-01T00:00:0${second}.000000Z` }) as TreeTask;

const shown = (tasks: TreeTask[]) => nest(tasks).map(({ task, depth }) => `${"-".repeat(depth)}${task.task_id}`);

describe("nest", () => {
  it("puts each task below its parent, whatever the order", () => {
    const tasks = [task("c", "b", 3), task("b2", "a", 2), task("a", null, 1), task("b", "a", 2)];
    expect(shown(tasks)).toEqual(["a", "-b", "--c", "-b2"]);
  });

  it("puts on top what has a parent that nobody knows", () => {
    expect(shown([task("b", "gone", 2), task("a", null, 1)])).toEqual(["a", "b"]);
  });

  it("shows each task of a circle once", () => {
    expect(shown([task("x", "y", 1), task("y", "x", 2), task("z", "z", 3)])).toEqual(["x", "-y", "z"]);
  });

  it("shows a task once that is on two pages", () => {
    expect(shown([task("a", null, 1), task("a", null, 1)])).toEqual(["a"]);
  });

  it("takes ten thousand in a row", () => {
    const chain = Array.from({ length: 10_000 }, (_, n) => task(`t${n}`, n ? `t${n - 1}` : null, 1));
    expect(nest(chain).at(-1)?.depth).toBe(9_999);
  });
});

describe("tally", () => {
  it("counts states, the most frequent first", () => {
    const tasks = [task("a", null, 1, "failed"), task("b", null, 1), task("c", null, 1)];
    expect(tally(tasks)).toEqual([
      ["succeeded", 2],
      ["failed", 1],
    ]);
  });
});
