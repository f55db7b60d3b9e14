import type { TaskSummary } from "@/services/tasks";
import type { Filter, Term } from "./language";

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Milliseconds since the epoch for "15m", "2d" or a time; null when it is neither. A time
 * without a zone is UTC, as in the brain. */
export function moment(value: string, now: number): number | null {
  const span = /^(\d{1,6})([smhdw])$/.exec(value);
  if (span) return now - Number(span[1]) * (UNITS[span[2]!] ?? 0) * 1000;
  if (!/^\d{4}-\d{2}-\d{2}/.test(value)) return null;
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/.test(value) || value.length === 10;
  const at = Date.parse(zoned ? value : `${value}Z`);
  return Number.isNaN(at) ? null : at;
}

/** Whether a task belongs to the filter; null when its summary alone cannot tell. */
export function matches(filter: Filter, task: TaskSummary, now: number): boolean | null {
  if (filter.faults.length) return null;
  let answer: boolean | null = true;
  for (const term of filter.terms) {
    const said = matchTerm(term, task, now);
    if (said === null) answer = null;
    else if (said === term.negated) return false;
  }
  return answer;
}

function matchTerm(term: Term, task: TaskSummary, now: number): boolean | null {
  const any = (test: (value: string) => boolean) => term.values.some(test);
  const same = (field: string | null) =>
    any((value) =>
      term.contains
        ? (field ?? "").toLowerCase().includes(value.toLowerCase())
        : field === value,
    );
  switch (term.key) {
    case null:
      return any(
        (value) =>
          (task.name ?? "").toLowerCase().includes(value.toLowerCase()) ||
          task.task_id.startsWith(value),
      );
    case "state":
      return any((value) => task.state === value);
    case "queue":
      return same(task.queue);
    case "name":
      return same(task.name);
    case "engine":
      return same(task.engine);
    case "worker":
      return same(task.worker);
    case "exception":
      return same(task.exception_type);
    case "retried_from":
      return same(task.retried_from);
    case "issue":
      return same(task.issue);
    case "id":
      return any((value) => task.task_id.startsWith(value));
    case "since":
    case "until":
      return inTime(term, task, now);
    default:
      return null;
  }
}

function inTime(term: Term, task: TaskSummary, now: number): boolean | null {
  const limit = moment(term.values[0] ?? "", now);
  if (limit === null) return null;
  const at = Date.parse(task.first_at);
  return term.key === "since" ? at >= limit : at <= limit;
}
