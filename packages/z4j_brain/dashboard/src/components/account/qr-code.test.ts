import { describe, expect, it } from "vitest";
import { pathOf } from "./qr-code";

describe("pathOf", () => {
  it("draws every run of dark modules, inside the quiet zone", () => {
    expect(
      pathOf([
        [true, true, false],
        [false, false, false],
        [true, false, true],
      ]),
    ).toBe("M4 4h2v1h-2zM4 6h1v1h-1zM6 6h1v1h-1z");
  });
});
