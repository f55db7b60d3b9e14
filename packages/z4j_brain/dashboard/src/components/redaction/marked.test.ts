import { expect, test } from "vitest";
import { nameOf, parts } from "./marked";

test("what was taken out is told apart from the text around it", () => {
  expect(parts("a [redacted], b[redacted]")).toEqual([
    { text: "a ", isMask: false },
    { text: "[redacted]", isMask: true },
    { text: ", b", isMask: false },
    { text: "[redacted]", isMask: true },
  ]);
  expect(parts("")).toEqual([]);
});

test("a name becomes one that the server takes", () => {
  expect(nameOf("Staff Number")).toBe("staff-number");
  expect(nameOf("42 – plate")).toBe("plate");
});
