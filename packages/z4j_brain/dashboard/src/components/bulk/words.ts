import type { BulkRun, BulkState, MemberState } from "@/services/bulk-runs";
import { isEnded } from "@/services/bulk-runs";

export const RUN_TONES: Record<BulkState, string> = {
  preparing: "text-ink-2",
  canary: "text-[var(--s-running)]",
  waiting: "text-warn",
  running: "text-[var(--s-running)]",
  paused: "text-warn",
  aborting: "text-warn",
  aborted: "text-ink-2",
  done: "text-good",
};

export const RUN_WORDS: Record<BulkState, string> = {
  preparing: "The tasks are being gathered",
  canary: "The canary is out",
  waiting: "It waits for somebody to decide",
  running: "It runs",
  paused: "It is paused",
  aborting: "It ends once what was sent has its result",
  aborted: "It was aborted",
  done: "Every task had its turn",
};

export const MEMBER_WORDS: Record<MemberState, string> = {
  waiting: "Waiting",
  sent: "Sent",
  succeeded: "Carried out",
  failed: "Failed",
  expired: "No answer",
  skipped: "Left out",
  refused: "Refused",
};

/** The filter as people read it; an empty one lets every task through. */
export const filterText = (filter: string): string => filter || "every task";

/** How many tasks have had their turn and their result. */
export function endedCount({ counts }: BulkRun): number {
  return counts.succeeded + counts.failed + counts.expired + counts.skipped + counts.refused;
}

/** Milliseconds that the tasks that wait take at the run's rate; null when they do not go on. */
export function timeLeft(run: BulkRun): number | null {
  if (isEnded(run) || run.state === "paused" || run.state === "waiting" || run.state === "aborting") return null;
  if (run.state === "preparing") return null;
  return (run.counts.waiting / run.rate) * 1000;
}
