import { expect, test } from "vitest";
import { isIpAddress, toBytes, toText, why } from "./webauthn";

test("bytes keep through base64url of any length", () => {
  for (let length = 0; length < 9; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => 255 - index * 31);
    const text = toText(bytes.buffer);
    expect(text).toMatch(/^[\w-]*$/);
    expect(toBytes(text)).toEqual(bytes);
  }
});

test("an IP address is no name", () => {
  expect(["127.0.0.1", "[::1]"].every(isIpAddress)).toBe(true);
  expect(["localhost", "z4j.example", "1.example"].some(isIpAddress)).toBe(false);
});

test("a refusal of the browser says what to do", () => {
  expect(why(new DOMException("x", "InvalidStateError"))).toContain("already");
  expect(why(new DOMException("x", "NotAllowedError"))).toContain("cancelled");
  expect(why(null)).toContain("cancelled");
});
