import { describe, expect, it } from "vitest";
import {
  parseSearch,
  safeNext,
  stringifySearch,
  validateFollowed,
  validateIssueSearch,
  validateTaskSearch,
} from "./url-state";

describe("addresses", () => {
  it.each([
    'state:failed,running queue:"slow lane" -worker:w3',
    "name:~a+b&c=d#e%",
    "id:123",
    "ünïcode 漢字",
  ])("keep %s", (q) => {
    expect(parseSearch(stringifySearch({ q }).slice(1))).toEqual({ q });
  });

  it("read well", () => {
    expect(stringifySearch({ q: "state:failed,running send", x: undefined })).toBe(
      "?q=state:failed,running+send",
    );
    expect(stringifySearch({ q: "" })).toBe("");
  });

  it("name an agent by its id or not at all", () => {
    const agent = "01a2b3c4-0000-7000-8000-0123456789ab";
    expect(validateFollowed({ agent, other: 1 })).toEqual({ agent });
    for (const wrong of [`${agent}0`, "x", 5, [agent], undefined]) expect(validateFollowed({ agent: wrong })).toEqual({});
  });

  it("drop what the list does not know", () => {
    expect(validateTaskSearch({ q: " a ", other: "1" })).toEqual({ q: "a" });
    expect(validateTaskSearch({ q: ["a"] })).toEqual({});
    expect(validateTaskSearch({ q: "a".repeat(2000) }).q).toHaveLength(1000);
  });

  it("hold the state and the text of the issues, and nothing else", () => {
    expect(validateIssueSearch({ state: "muted", q: " KeyError ", other: 1 })).toEqual({ state: "muted", q: "KeyError" });
    expect(validateIssueSearch({ state: "open", q: ["a"] })).toEqual({});
    expect(validateIssueSearch({ state: "gone", q: "a".repeat(500) }).q).toHaveLength(200);
  });

  it.each([
    ["/p/main/tasks?q=x", "/p/main/tasks?q=x"],
    ["//evil.example", null],
    ["/\\evil.example", null],
    ["https://evil.example", null],
    ["/a\nb", null],
    [undefined, null],
  ])("go only to pages of this app: %s", (next, expected) => {
    expect(safeNext(next)).toBe(expected);
  });
});
