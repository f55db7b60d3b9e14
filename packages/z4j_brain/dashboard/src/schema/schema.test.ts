import { describe, expect, it } from "vitest";
import { ExactNumber, parseExact, stringifyExact } from "@/services/exact-json";
import { readJson, readNumber } from "./read";
import { initialValue, labelOf, paramsOf, resolve, type Schema, shapeOf, Unreadable } from "./schema";
import { validate } from "./validate";

// As msgspec writes it for an edited retry.
const retry: Schema = {
  $ref: "#/$defs/EditedRetry",
  $defs: {
    EditedRetry: {
      title: "EditedRetry",
      type: "object",
      properties: {
        args: { type: "array" },
        kwargs: { type: "object" },
        queue: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
        delay_s: { anyOf: [{ type: "number", minimum: 0 }, { type: "null" }], default: null },
        mode: { enum: ["soft", "hard"], default: "soft" },
        loud: { type: "boolean", default: false },
      },
      required: ["args", "kwargs"],
    },
  },
};
const place = (name: string) => resolve(retry, retry).properties![name]!;

describe("shapes", () => {
  it("follows references to fields", () => expect(shapeOf(retry, retry).kind).toBe("fields"));
  it.each([
    ["args", "array", false],
    ["kwargs", "object", false],
    ["queue", "string", true],
    ["delay_s", "number", true],
    ["mode", "enum", false],
    ["loud", "boolean", false],
  ])("%s is %s", (name, kind, nullable) => {
    expect(shapeOf(place(name), retry)).toMatchObject({ kind, nullable });
  });
  it("keeps the limits of what may be null", () => {
    expect(shapeOf(place("delay_s"), retry).schema.minimum).toBe(0);
  });
  it("reads a list of types", () => {
    expect(shapeOf({ type: ["integer", "null"] }, {})).toMatchObject({ kind: "integer", nullable: true });
    expect(shapeOf({ type: ["integer", "string"] }, {}).kind).toBe("json");
  });
  it("does not hang on a reference to itself", () => {
    const loop: Schema = { $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/A" } } };
    expect(shapeOf(loop, loop).kind).toBe("json");
  });
});

describe("values", () => {
  it("starts with defaults and empty containers", () => {
    expect(initialValue(retry, retry, true)).toEqual({
      args: [], kwargs: {}, queue: null, delay_s: null, mode: "soft", loud: false,
    });
  });
  it("sends what is required and what differs from its default", () => {
    const value = { args: [1], kwargs: {}, queue: "slow", delay_s: null, mode: "soft", loud: true };
    expect(paramsOf(retry, retry, value)).toEqual({ args: [1], kwargs: {}, queue: "slow", loud: true });
  });
  it("makes labels with units", () => {
    expect(labelOf("delay_s", {})).toEqual({ label: "Delay", unit: "seconds" });
    expect(labelOf("dry_run", {})).toEqual({ label: "Dry run", unit: null });
    expect(labelOf("x", { title: "Times" }).label).toBe("Times");
  });
});

describe("validate", () => {
  const said = (value: Record<string, unknown>) =>
    validate(retry, retry, { args: [], kwargs: {}, ...value }, true).map(({ pointer }) => pointer);
  it("accepts what is right", () => expect(said({ delay_s: 3, mode: "hard" })).toEqual([]));
  it.each([
    [{ args: undefined }, "/args"],
    [{ args: {} }, "/args"],
    [{ kwargs: [] }, "/kwargs"],
    [{ delay_s: -1 }, "/delay_s"],
    [{ delay_s: new Unreadable("x", "no") }, "/delay_s"],
    [{ mode: "other" }, "/mode"],
    [{ loud: "yes" }, "/loud"],
  ])("refuses %o", (value, pointer) => expect(said(value)).toEqual([pointer]));
  it("holds limits of text and lists", () => {
    expect(validate({ type: "string", minLength: 2 }, {}, "a", true)).toHaveLength(1);
    expect(validate({ type: "string", pattern: "^a+$" }, {}, "b", true)).toHaveLength(1);
    expect(validate({ type: "string", pattern: "(?<x" }, {}, "b", true)).toEqual([]);
    expect(validate({ type: "array", maxItems: 1 }, {}, [1, 2], true)).toHaveLength(1);
    expect(validate({ type: "integer" }, {}, 1.5, true)).toHaveLength(1);
  });
});

describe("exact JSON", () => {
  const text = '{"id":12345678901234567890,"rate":1.0,"n":3,"s":"<b>"}';
  it("keeps digits that a double would lose", () => {
    expect(stringifyExact(parseExact(text))).toBe(text);
    expect((parseExact(text) as { n: unknown }).n).toBe(3);
  });
  it("indents", () => {
    expect(stringifyExact({ a: [1, {}], b: undefined }, 2)).toBe('{"a": [1, {}]}');
    const long = "x".repeat(70);
    expect(stringifyExact({ a: [1, long], b: [1, 2] }, 2)).toBe(
      `{\n  "a": [\n    1,\n    "${long}"\n  ],\n  "b": [1, 2]\n}`,
    );
  });
  it("reads typed numbers", () => {
    expect(readNumber("", true)).toBeUndefined();
    expect(readNumber("12", true)).toBe(12);
    expect(readNumber("1.5", true)).toBeInstanceOf(Unreadable);
    expect(readNumber("1e3", false)).toBe(1000);
    expect(readNumber("9007199254740993", true)).toEqual(new ExactNumber("9007199254740993"));
  });
  it("says why JSON is not read", () => {
    expect(readJson("[1,")).toBeInstanceOf(Unreadable);
    expect(readJson(" ")).toBeUndefined();
    expect(readJson("[1]")).toEqual([1]);
  });
});
