import { type Facets } from "@/services/facets";
import { TASK_STATES } from "@/services/tasks";
import { FILTER_KEYS, type FilterKey, quoteValue, words } from "./language";

export interface Suggestion {
  /** What stands in the text afterwards, from `from` to `to`. */
  insert: string;
  label: string;
  detail: string;
}

export interface Completion {
  from: number;
  to: number;
  items: Suggestion[];
}

const LIMIT = 10;
const SPANS = ["5m", "15m", "1h", "6h", "24h", "7d"];

/** What could stand at the caret: keys at the start of a word, values after a colon. */
export function complete(text: string, caret: number, facets: Facets | undefined): Completion {
  const word = words(text).find(({ start, end }) => start <= caret && caret <= end);
  const start = word?.start ?? caret;
  const to = word?.end ?? caret;
  const typed = text.slice(start, caret);
  const minus = typed.startsWith("-") ? 1 : 0;
  const colon = typed.indexOf(":");
  if (colon < 0) {
    return { from: start + minus, to, items: keys(typed.slice(minus)) };
  }
  const key = typed.slice(minus, colon) as FilterKey;
  const value = lastValue(typed.slice(colon + 1));
  return {
    from: start + colon + 1 + value.from,
    to,
    items: rank(valuesFor(key, facets), value.text).map((found) => ({
      insert: `${quoteValue(found)} `,
      label: found,
      detail: "",
    })),
  };
}

function keys(typed: string): Suggestion[] {
  return FILTER_KEYS.filter(([key]) => key.startsWith(typed.toLowerCase())).map(([key, detail]) => ({
    insert: `${key}:`,
    label: `${key}:`,
    detail,
  }));
}

function lastValue(text: string): { from: number; text: string } {
  const tilde = text.startsWith("~") ? 1 : 0;
  const comma = text.lastIndexOf(",");
  const from = Math.max(tilde, comma + 1);
  return { from, text: text.slice(from).replaceAll('"', "") };
}

function valuesFor(key: FilterKey, facets: Facets | undefined): readonly string[] {
  switch (key) {
    case "state":
      return facets?.states.length ? facets.states : TASK_STATES;
    case "queue":
      return [...new Set(facets?.queues.map(({ queue }) => queue) ?? [])];
    case "name":
      return facets?.names ?? [];
    case "worker":
      return facets?.workers ?? [];
    case "engine":
      return facets?.engines ?? [];
    case "since":
    case "until":
      return SPANS;
    default:
      return [];
  }
}

/** Those that start so first, then those that hold it, each in their own order. */
function rank(values: readonly string[], typed: string): string[] {
  const wanted = typed.toLowerCase();
  const starts = values.filter((value) => value.toLowerCase().startsWith(wanted));
  const holds = values.filter((value) => value.toLowerCase().indexOf(wanted) > 0);
  return [...starts, ...holds].slice(0, LIMIT);
}

/** The text and the caret after a suggestion was taken. */
export function accept(text: string, completion: Completion, taken: Suggestion) {
  const rest = text.slice(completion.to);
  const insert = taken.insert.endsWith(" ") && rest.startsWith(" ") ? taken.insert.trimEnd() : taken.insert;
  return {
    text: text.slice(0, completion.from) + insert + rest,
    caret: completion.from + insert.length,
  };
}
