import { describe, expect, it } from "vitest";
import type { AgentView, TokenView } from "@/services/agents";
import type { WorkerView } from "@/services/workers";
import { ownNames } from "./first-task";
import { onlineText, stepsOf } from "./progress";

const token = (last_used_at: string | null, last_address: string | null): TokenView => ({
  id: last_address ?? "unused",
  created_at: "2026-01-01T00:00:00.000000Z",
  last_used_at,
  last_address,
  revoked_at: null,
  expires_at: null,
});
const agent = (change: Partial<AgentView> = {}): AgentView => ({
  id: "a",
  name: "checkout",
  created_at: "2026-01-01T00:00:00.000000Z",
  last_used_at: null,
  revoked_at: null,
  workers_online: 0,
  first_task: null,
  tokens: [token(null, null)],
  ...change,
});
const first_task = { engine: "celery", task_id: "t" };

describe("stepsOf", () => {
  it.each([
    [agent(), { agent: "now", task: "later" }],
    [agent({ workers_online: 1 }), { agent: "done", task: "now" }],
    [agent({ workers_online: 1, first_task }), { agent: "done", task: "done" }],
    [agent({ first_task }), { agent: "now", task: "done" }],
  ])("%#", (given, expected) => {
    expect(stepsOf(given)).toEqual(expected);
  });
});

describe("onlineText", () => {
  it("counts processes", () => {
    expect(onlineText(agent({ workers_online: 1 }))).toBe("1 process online.");
    expect(onlineText(agent({ workers_online: 3 }))).toBe("3 processes online.");
  });
  it("names the address that was used last", () => {
    const tokens = [
      token("2026-01-01T00:00:00.000000Z", "10.0.0.1"),
      token("2026-01-02T00:00:00.000000Z", "10.0.0.2"),
    ];
    expect(onlineText(agent({ workers_online: 1, tokens }))).toBe("1 process online, from 10.0.0.2.");
  });
});

describe("ownNames", () => {
  const worker = (worker_id: string, id: string) => ({ worker_id, agent: { id, name: id } }) as WorkerView;
  it("leaves out names that another agent's processes have, too", () => {
    const workers = [worker("w2", "a"), worker("w1", "a"), worker("w1", "b"), worker("w2", "a"), worker("w3", "b")];
    expect(ownNames(workers, "a")).toEqual(["w2"]);
    expect(ownNames([], "a")).toEqual([]);
  });
});
