import { describe, expect, it } from "vitest";
import type { AgentView, TokenView } from "@/services/agents";
import { consequence, inOrder, lastAddress, tokenText } from "./credentials";

const AT = "2026-01-01T00:00:00.000000Z";
const token = (change: Partial<TokenView> = {}): TokenView => ({
  id: "t",
  created_at: AT,
  last_used_at: null,
  last_address: null,
  revoked_at: null,
  expires_at: null,
  ...change,
});
const agent = (name: string, change: Partial<AgentView> = {}): AgentView => ({
  id: name,
  name,
  created_at: AT,
  last_used_at: null,
  revoked_at: null,
  workers_online: 0,
  first_task: null,
  tokens: [token()],
  ...change,
});

describe("tokens", () => {
  it("counts those in force", () => {
    expect(tokenText([token(), token()])).toBe("2");
    expect(tokenText([token(), token({ revoked_at: AT })])).toBe("1 of 2");
    expect(tokenText([token(), token({ expires_at: AT })])).toBe("1 of 2");
    expect(tokenText([])).toBe("0");
  });

  it("knows the address seen last", () => {
    const older = token({ last_used_at: AT, last_address: "10.0.0.1" });
    const newer = token({ last_used_at: "2026-01-02T00:00:00.000000Z", last_address: "10.0.0.2" });
    expect(lastAddress([older, newer, token()])).toBe("10.0.0.2");
    expect(lastAddress([token()])).toBeNull();
  });
});

describe("agents", () => {
  it("puts revoked ones last and orders by name and figure", () => {
    const names = inOrder([agent("a10"), agent("a0", { revoked_at: AT }), agent("a2")]);
    expect(names.map(({ name }) => name)).toEqual(["a2", "a10", "a0"]);
  });

  it.each([
    [0, /^Nothing uses it/],
    [1, /cuts off 1 process that is/],
    [3, /cuts off 3 processes that are/],
  ])("says what revoking does to %i processes", (workers_online, expected) => {
    expect(consequence(agent("a", { workers_online }))).toMatch(expected);
  });
});
