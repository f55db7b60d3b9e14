import { describe, expect, it } from "vitest";
import { describeLink } from "./live-status";

const now = 100_000;

describe("describeLink", () => {
  it.each([
    [{ state: "connecting", lagMs: null, heardAt: 0 }, "connecting"],
    [{ state: "open", lagMs: null, heardAt: now }, "live"],
    [{ state: "open", lagMs: 350, heardAt: now }, "live"],
    [{ state: "open", lagMs: 4_200, heardAt: now }, "4 s behind"],
    [{ state: "open", lagMs: 190_000, heardAt: now }, "3 m 10 s behind"],
    [{ state: "lost", lagMs: 10, heardAt: now - 9_000 }, "reconnecting"],
  ] as const)("%o", (status, text) => expect(describeLink(status, now).text).toBe(text));

  it("says for how long the server is silent", () => {
    const { detail, tone } = describeLink({ state: "lost", lagMs: 10, heardAt: now - 12_000 }, now);
    expect(detail).toContain("12.0 s");
    expect(tone).toBe("bad");
  });
});
