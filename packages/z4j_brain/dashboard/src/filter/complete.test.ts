import { describe, expect, it } from "vitest";
import { accept, complete } from "./complete";

const facets = {
  states: ["queued", "failed"],
  queues: [
    { engine: "celery", queue: "email" },
    { engine: "rq", queue: "email" },
    { engine: "celery", queue: "slow lane" },
  ],
  names: ["app.tasks.send", "app.tasks.resend", "shop.invoice"],
  workers: ["w1"],
  engines: ["celery"],
};
const labels = (text: string, caret = text.length) =>
  complete(text, caret, facets).items.map(({ label }) => label);

describe("complete", () => {
  it("offers every key on an empty text and keys by their start", () => {
    expect(labels("").length).toBeGreaterThan(10);
    expect(labels("-qu")).toEqual(["queue:"]);
  });

  it("offers values of a key, each once", () => {
    expect(labels("queue:")).toEqual(["email", "slow lane"]);
    expect(labels("state:failed,q")).toEqual(["queued"]);
    expect(labels("name:~inv")).toEqual(["shop.invoice"]);
  });

  it("puts values that start so before those that hold it", () => {
    expect(labels("name:s")[0]).toBe("shop.invoice");
    expect(labels("name:send")).toEqual(["app.tasks.send", "app.tasks.resend"]);
  });

  it("still offers states before the facets are there", () => {
    expect(complete("state:fa", 8, undefined).items[0]?.label).toBe("failed");
  });

  it("replaces the word at the caret, quoted where needed", () => {
    const text = "state:failed queue:sl name:~x";
    const completion = complete(text, 21, facets);
    expect(accept(text, completion, completion.items[0]!)).toEqual({
      text: 'state:failed queue:"slow lane" name:~x',
      caret: 30,
    });
  });

  it("leaves the earlier values of a list", () => {
    const completion = complete("state:failed,qu", 15, facets);
    expect(accept("state:failed,qu", completion, completion.items[0]!).text).toBe(
      "state:failed,queued ",
    );
  });
});
