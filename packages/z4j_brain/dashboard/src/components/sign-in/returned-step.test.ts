import { expect, test } from "vitest";
import { readStep } from "./returned-step";

test("a token and the ways that are known", () => {
  expect(readStep("oidc.abc&app,recovery_code,magic")).toEqual({ token: "oidc.abc", ways: ["app", "recovery_code"] });
  expect(readStep("oidc.abc")).toEqual({ token: "oidc.abc", ways: [] });
});

test("no token, no step", () => {
  expect(readStep("")).toBeNull();
  expect(readStep("&app")).toBeNull();
});
