// The filter language as people type it. The brain decides; this module only has to agree
// with it closely enough to colour, complete and match what the live feed brings.

export const FILTER_KEYS = [
  ["state", "queued, running, failed …; several with commas"],
  ["queue", "name of a queue"],
  ["name", "name of a task; name:~part for a part of it"],
  ["engine", "celery …"],
  ["worker", "name of a worker"],
  ["exception", "type of the exception"],
  ["id", "start of a task id"],
  ["since", "not older than 15m, 1h, 7d or a time"],
  ["until", "not newer than 15m, 1h or a time"],
  ["parent", "id of the parent task"],
  ["root", "id of the first task of a tree"],
  ["group", "id of a group"],
  ["retried_from", "id of the task that was retried"],
  ["issue", "id of an issue that the newest attempt belongs to"],
] as const;

export type FilterKey = (typeof FILTER_KEYS)[number][0];
export const MAX_LENGTH = 1000;
export const MAX_TERMS = 20;

export interface Term {
  key: FilterKey | null;
  negated: boolean;
  contains: boolean;
  values: string[];
  start: number;
  end: number;
}

export interface FilterFault {
  start: number;
  end: number;
  message: string;
}

export interface Filter {
  terms: Term[];
  faults: FilterFault[];
}

const KEYS = new Set<string>(FILTER_KEYS.map(([key]) => key));
const isKey = (word: string): word is FilterKey => KEYS.has(word);

export function parseFilter(text: string): Filter {
  const faults: FilterFault[] = [];
  const terms: Term[] = [];
  if (text.length > MAX_LENGTH) {
    faults.push({ start: MAX_LENGTH, end: text.length, message: `At most ${MAX_LENGTH} characters.` });
  }
  for (const { start, end } of words(text)) {
    const term = parseTerm(text.slice(start, end), start, faults);
    if (term) terms.push(term);
  }
  const extra = terms[MAX_TERMS];
  if (extra) faults.push({ start: extra.start, end: text.length, message: `At most ${MAX_TERMS} terms.` });
  return { terms, faults };
}

/** Where each word starts and ends; a space inside double quotes does not end one. */
export function words(text: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let start = -1;
  let quoted = false;
  for (let at = 0; at <= text.length; at++) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    const ends = character === undefined || (!quoted && /\s/.test(character));
    if (ends && start >= 0) {
      found.push({ start, end: at });
      start = -1;
    } else if (!ends && start < 0) {
      start = at;
    }
  }
  return found;
}

function parseTerm(word: string, start: number, faults: FilterFault[]): Term | null {
  const end = start + word.length;
  const fault = (message: string) => {
    faults.push({ start, end, message });
    return null;
  };
  if ((word.match(/"/g)?.length ?? 0) % 2) return fault("A double quote is not closed.");
  const negated = word.length > 1 && word.startsWith("-");
  const bare = negated ? word.slice(1) : word;
  const colon = bare.startsWith('"') ? -1 : bare.indexOf(":");
  if (colon < 0) {
    return { key: null, negated, contains: true, values: [unquote(bare)], start, end };
  }
  const key = bare.slice(0, colon);
  if (!isKey(key)) return fault(`There is no key “${key}”. Keys: ${[...KEYS].join(", ")}.`);
  const rest = bare.slice(colon + 1);
  const contains = rest.startsWith("~");
  const values = splitValues(contains ? rest.slice(1) : rest);
  if (values.length === 0) return fault(`“${key}:” needs a value.`);
  return { key, negated, contains, values, start, end };
}

function splitValues(text: string): string[] {
  const parts = text.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
  return parts.map(unquote).filter((value) => value !== "");
}

const unquote = (text: string): string => text.replaceAll('"', "");

/** A value as it must be written: quoted when it holds a space, a comma or a colon. */
export function quoteValue(value: string): string {
  return /[\s,]/.test(value) ? `"${value.replaceAll('"', "")}"` : value;
}

/** The values that the filter asks for by `key:`, without negated terms. */
export function valuesOf(text: string, key: FilterKey): string[] {
  return parseFilter(text)
    .terms.filter((term) => term.key === key && !term.negated)
    .flatMap((term) => term.values);
}

/** Replaces every `key:` term by one with these values; none removes the key. */
export function withValues(text: string, key: FilterKey, values: readonly string[]): string {
  const parsed = parseFilter(text).terms.filter((term) => term.key === key && !term.negated);
  let rest = text;
  for (const term of [...parsed].reverse()) {
    rest = rest.slice(0, term.start) + rest.slice(term.end);
  }
  const added = values.length ? `${key}:${values.map(quoteValue).join(",")}` : "";
  return `${added} ${rest}`.replace(/\s+/g, " ").trim();
}

export function toggleValue(text: string, key: FilterKey, value: string): string {
  const now = valuesOf(text, key);
  return withValues(
    text,
    key,
    now.includes(value) ? now.filter((other) => other !== value) : [...now, value],
  );
}
