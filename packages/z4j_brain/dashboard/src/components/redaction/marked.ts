export const MASK = "[redacted]";

/** A redacted text in parts, so that what was taken out can be drawn as marks. */
export function parts(text: string): { text: string; isMask: boolean }[] {
  return text
    .split(/(\[redacted\])/)
    .filter((part) => part !== "")
    .map((part) => ({ text: part, isMask: part === MASK }));
}

/** What a rule's name is among names that are taken: lower case, digits and hyphens. */
export function nameOf(text: string): string {
  const plain = text.toLowerCase().replace(/[^a-z0-9-]+/g, "-");
  return plain.replace(/^[^a-z]+/, "").slice(0, 40);
}
