import { describe, expect, it } from "vitest";
import { slugOf } from "./slug";

describe("slugOf", () => {
  it.each([
    ["Shop", "shop"],
    [" Dépôt Nord ", "depot-nord"],
    ["SHOP!", "shop"],
    ["店", "project"],
    ["a__b  c", "a-b-c"],
    [`${"a".repeat(59)} b`, "a".repeat(59)],
  ])("%s", (name, slug) => expect(slugOf(name)).toBe(slug));
});
