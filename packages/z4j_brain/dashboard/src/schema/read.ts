import { ExactNumber, parseExact, stringifyExact } from "@/services/exact-json";
import { Unreadable } from "./schema";

/** A typed number; the digits stay when a double could not hold them. Empty is undefined. */
export function readNumber(text: string, integer: boolean): unknown {
  const typed = text.trim();
  if (typed === "") return undefined;
  const shape = integer ? /^-?\d{1,400}$/ : /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
  if (!shape.test(typed)) {
    return new Unreadable(text, integer ? "This must be a whole number." : "This must be a number.");
  }
  const value = Number(typed);
  return integer && !Number.isSafeInteger(value) ? new ExactNumber(typed) : value;
}

export function readJson(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return parseExact(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    return new Unreadable(text, `This is not JSON yet: ${why}`);
  }
}

/** The text that an editor starts with. */
export function writeValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (value instanceof Unreadable) return value.text;
  if (typeof value === "string") return value;
  return stringifyExact(value, 2);
}
