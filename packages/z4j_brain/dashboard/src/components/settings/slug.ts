/** What the brain makes of a project's name for its address; at most 60 characters. */
export function slugOf(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/[^\0-\x7f]/g, "")
    .toLowerCase();
  const joined = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return joined.slice(0, 60).replace(/-+$/, "") || "project";
}
