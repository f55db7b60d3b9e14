import { afterEach, expect, test } from "vitest";
import { keepReturn, takeReturn } from "./return-address";

afterEach(() => sessionStorage.clear());

test("the page is told once", () => {
  keepReturn("/p/shop/tasks?state=failed");
  expect(takeReturn()).toBe("/p/shop/tasks?state=failed");
  expect(takeReturn()).toBeNull();
});

test("a later sign-in without a page forgets the former one", () => {
  keepReturn("/p/shop/tasks");
  keepReturn(undefined);
  expect(takeReturn()).toBeNull();
});

test("a page of somebody else is none", () => {
  for (const other of ["https://evil.example", "//evil.example", "/\\evil.example"]) {
    keepReturn(other);
    expect(takeReturn()).toBeNull();
  }
});
