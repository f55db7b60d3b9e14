import { describe, expect, it } from "vitest";
import { MAX_TERMS, parseFilter, quoteValue, toggleValue, valuesOf, withValues } from "./language";

describe("parseFilter", () => {
  it("reads keys, lists, contains, negation and bare words", () => {
    const { terms, faults } = parseFilter("state:failed,retrying name:~invoice -worker:w3 send");
    expect(faults).toEqual([]);
    expect(terms.map(({ key, negated, contains, values }) => [key, negated, contains, values])).toEqual([
      ["state", false, false, ["failed", "retrying"]],
      ["name", false, true, ["invoice"]],
      ["worker", true, false, ["w3"]],
      [null, false, true, ["send"]],
    ]);
  });

  it("keeps spaces, commas and colons inside quotes", () => {
    const { terms } = parseFilter('queue:"slow, big" "a:b c"');
    expect(terms[0]?.values).toEqual(["slow, big"]);
    expect(terms[1]).toMatchObject({ key: null, values: ["a:b c"] });
  });

  it("keeps the colons of a time", () => {
    expect(valuesOf("until:2026-01-01T00:00", "until")).toEqual(["2026-01-01T00:00"]);
  });

  it("names an unknown key and points at it", () => {
    const { terms, faults } = parseFilter("state:failed colour:red");
    expect(terms).toHaveLength(1);
    expect(faults[0]).toMatchObject({ start: 13, end: 23 });
    expect(faults[0]?.message).toContain("colour");
    expect(faults[0]?.message).toContain("queue");
  });

  it.each(["state:", 'name:"open', "name:~"])("refuses %s", (text) => {
    expect(parseFilter(text).faults).toHaveLength(1);
  });

  it("refuses too many terms and too long a text", () => {
    expect(parseFilter("a ".repeat(MAX_TERMS)).faults).toEqual([]);
    expect(parseFilter("a ".repeat(MAX_TERMS + 1)).faults).toHaveLength(1);
    expect(parseFilter("a".repeat(1001)).faults).toHaveLength(1);
  });

  it("takes a lone minus as a word", () => {
    expect(parseFilter("-").terms[0]).toMatchObject({ negated: false, values: ["-"] });
  });
});

describe("editing", () => {
  it("toggles one value and leaves the rest alone", () => {
    const first = toggleValue("name:~x -state:queued", "state", "failed");
    expect(first).toBe("state:failed name:~x -state:queued");
    const second = toggleValue(first, "state", "running");
    expect(second).toBe("state:failed,running name:~x -state:queued");
    expect(toggleValue(toggleValue(second, "state", "failed"), "state", "running")).toBe(
      "name:~x -state:queued",
    );
  });

  it("writes values that it can read again", () => {
    for (const value of ["plain", "two words", "a,b"]) {
      expect(valuesOf(`queue:${quoteValue(value)}`, "queue")).toEqual([value]);
    }
  });

  it("removes a key", () => {
    expect(withValues("since:1h state:failed", "since", [])).toBe("state:failed");
  });
});
