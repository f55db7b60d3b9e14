import { describe, expect, it } from "vitest";
import { codeAlternative, connectBlock, ENGINES, quote, variables } from "./steps";

const URL_ = "https://ops.example.org/tools/z4j";

describe("the block", () => {
  it("goes from nothing to a connected Celery worker", () => {
    expect(connectBlock("celery", URL_, "z4j_abc-DEF_1").split("\n")).toEqual([
      "pip install z4j-celery",
      "export Z4J_URL=https://ops.example.org/tools/z4j",
      "export Z4J_TOKEN=z4j_abc-DEF_1",
      "celery -A yourapp worker --include z4j_celery.auto",
    ]);
  });

  it.each(ENGINES.map(({ value }) => value))("holds the address and the token for %s", (engine) => {
    expect(connectBlock(engine, URL_, "z4j_t")).toContain(variables(URL_, "z4j_t"));
    expect(codeAlternative(engine)?.text).toMatch(/^import z4j_/);
  });
});

describe("quote", () => {
  it.each([
    ["http://127.0.0.1:7600", "http://127.0.0.1:7600"],
    ["http://host/a b", "'http://host/a b'"],
    ["http://host/$(rm)", "'http://host/$(rm)'"],
    ["it's", "'it'\\''s'"],
    ["", "''"],
    ["a\nb", "'a\nb'"],
  ])("keeps %j one word", (text, expected) => {
    expect(quote(text)).toBe(expected);
  });
});
