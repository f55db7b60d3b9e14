// JSON.parse rounds 12345678901234567890 and forgets that 1.0 was no integer. A retry that
// sends such a value back must send what was recorded, so the digits are kept.

/** A number whose text a JavaScript number would change. */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

/** As JSON.parse, but numbers that would not survive come as ExactNumber (where the browser
 * tells their source; others get plain numbers). Throws SyntaxError. */
export function parseExact(text: string): unknown {
  const revive: Reviver = (_key, value, context) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source
      ? new ExactNumber(context.source)
      : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** What fits into this many characters stands in one line. */
const LINE = 72;

/** The inverse of parseExact; `indent` 0 writes one line. */
export function stringifyExact(value: unknown, indent = 0, level = 0): string {
  if (value instanceof ExactNumber) return value.source;
  if (Array.isArray(value)) {
    return wrap("[", "]", value.map((item) => stringifyExact(item, indent, level + 1)), indent, level);
  }
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(
        ([key, member]) =>
          `${JSON.stringify(key)}:${indent ? " " : ""}${stringifyExact(member, indent, level + 1)}`,
      );
    return wrap("{", "}", members, indent, level);
  }
  return JSON.stringify(value) ?? "null";
}

function wrap(open: string, close: string, parts: string[], indent: number, level: number): string {
  if (parts.length === 0) return open + close;
  if (!indent) return `${open}${parts.join(",")}${close}`;
  const isShort = parts.reduce((sum, part) => sum + part.length + 2, indent * level) <= LINE;
  if (isShort && !parts.some((part) => part.includes("\n"))) return `${open}${parts.join(", ")}${close}`;
  const inner = `\n${" ".repeat(indent * (level + 1))}`;
  return `${open}${inner}${parts.join(`,${inner}`)}\n${" ".repeat(indent * level)}${close}`;
}
