import { afterEach, describe, expect, it } from "vitest";
import { apiUrl, appRoot, prefixRewrite, socketUrl } from "./app-root";

function serveBelow(root: string) {
  document.head.innerHTML = `<meta name="z4j-root" content="${root}">`;
}

describe("the root", () => {
  afterEach(() => document.head.replaceChildren());

  it("is empty at the top of a host and without the element", () => {
    expect(appRoot()).toBe("");
    serveBelow("");
    expect(apiUrl("/session")).toBe("/api/v1/session");
  });

  it("stands before addresses of the API and of the live feed", () => {
    serveBelow("/tools/z4j/");
    expect(apiUrl("/session")).toBe("/tools/z4j/api/v1/session");
    expect(socketUrl("/ws/dashboard")).toMatch(/^ws:\/\/[^/]+\/tools\/z4j\/ws\/dashboard$/);
  });
});

describe("prefixRewrite", () => {
  const rewrite = prefixRewrite("/z4j")!;
  const at = (path: string) => new URL(path, "https://host.example");

  it.each([
    ["/z4j/p/a?q=x", "/p/a"],
    ["/z4j", "/"],
    ["/z4j/", "/"],
    ["/z4jx/p", "/z4jx/p"],
  ])("reads %s", (path, expected) => expect(rewrite.input({ url: at(path) }).pathname).toBe(expected));

  it("writes", () => expect(rewrite.output({ url: at("/p/a?q=x") }).href).toBe("https://host.example/z4j/p/a?q=x"));
  it("is not needed without a prefix", () => expect(prefixRewrite("")).toBeUndefined());
});
