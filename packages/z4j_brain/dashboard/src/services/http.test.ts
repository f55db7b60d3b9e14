import { afterEach, describe, expect, it, vi } from "vitest";
import { requestAll } from "./http";

interface Page {
  ids: string[];
  next: string | null;
}

function answering(pageOf: (cursor: string | null) => Page) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const { ids, next } = pageOf(new URL(url, "http://z4j").searchParams.get("cursor"));
    const items = ids.map((id) => ({ id, at: asked.length }));
    return Promise.resolve(Response.json({ items, next, count: 5_000, count_capped: false, offset: asked.length }));
  });
  return asked;
}

describe("requestAll", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("joins the pages; what moved meanwhile is there once, as it was seen last", async () => {
    const asked = answering((cursor) =>
      cursor === null ? { ids: ["a", "b"], next: "n" } : { ids: ["b", "c"], next: null },
    );
    const list = await requestAll<{ id: string; at: number }>("/workers");
    expect(list.items).toEqual([
      { id: "a", at: 1 },
      { id: "b", at: 2 },
      { id: "c", at: 2 },
    ]);
    expect(list).toMatchObject({ next: null, offset: 1 });
    expect(asked).toHaveLength(2);
  });

  it("ends after ten pages and says that there is more", async () => {
    const asked = answering((cursor) => ({ ids: [`${cursor}`], next: `${cursor}+` }));
    const list = await requestAll<{ id: string }>("/workers");
    expect(asked).toHaveLength(10);
    expect(list.items).toHaveLength(10);
    expect(list.next).not.toBeNull();
  });
});
