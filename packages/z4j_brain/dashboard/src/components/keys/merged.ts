import type { KeyView } from "@/services/keys";

/** One's own keys that work in this project, then those of others; each once. */
export function merged(own: readonly KeyView[], ofProject: readonly KeyView[], project: string): KeyView[] {
  const mine = own.filter((key) => key.project === null || key.project === project);
  const known = new Set(mine.map(({ id }) => id));
  return [...mine, ...ofProject.filter(({ id }) => !known.has(id))];
}

/** Networks as people write them: by commas, spaces or lines. */
export function networksOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}
