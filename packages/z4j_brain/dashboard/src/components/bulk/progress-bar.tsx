import { type BulkRun, MEMBER_STATES, type MemberState } from "@/services/bulk-runs";
import { count } from "@/time/format";
import { endedCount, MEMBER_WORDS } from "./words";

const FILLS: Partial<Record<MemberState, string>> = {
  succeeded: "bg-(--fill-succeeded)",
  failed: "bg-(--fill-failed)",
  refused: "bg-(--fill-failed)",
  expired: "bg-(--fill-retried)",
  skipped: "bg-(--fill-cancelled)",
  sent: "bg-accent/45",
};
const ORDER: readonly MemberState[] = ["succeeded", "failed", "refused", "expired", "skipped", "sent"];

/** How far a run is: a part for each result, then what is on its way. */
export function ProgressBar({ run, tall = false }: { run: BulkRun; tall?: boolean }) {
  const all = run.total || run.matching || 1;
  return (
    <div
      role="progressbar"
      aria-label="Tasks with a result"
      aria-valuemin={0}
      aria-valuemax={all}
      aria-valuenow={endedCount(run)}
      className={`flex overflow-hidden rounded-full bg-hover ${tall ? "h-2.5" : "h-1.5"}`}
    >
      {ORDER.filter((state) => run.counts[state] > 0).map((state) => (
        <span
          key={state}
          title={`${MEMBER_WORDS[state]}: ${count(run.counts[state])}`}
          className={FILLS[state]}
          style={{ width: `${(run.counts[state] / all) * 100}%` }}
        />
      ))}
    </div>
  );
}

interface CountsProps {
  run: BulkRun;
  chosen: MemberState | null;
  onChoose: (state: MemberState | null) => void;
}

/** A button for each result that there is, which narrows the list to it. */
export function Counts({ run, chosen, onChoose }: CountsProps) {
  const shown = MEMBER_STATES.filter((state) => run.counts[state] > 0 || state === chosen);
  return (
    <div className="flex flex-wrap gap-1" role="group" aria-label="Results">
      {shown.map((state) => (
        <button
          key={state}
          type="button"
          aria-pressed={state === chosen}
          data-count={run.counts[state]}
          onClick={() => onChoose(state === chosen ? null : state)}
          className="inline-flex h-6 items-center gap-1.5 rounded-full border border-line px-2 text-xs text-ink-2 hover:border-line-strong hover:text-ink aria-pressed:border-transparent aria-pressed:bg-selected aria-pressed:font-medium aria-pressed:text-ink"
        >
          <span className={`size-2 rounded-full ${FILLS[state] ?? "border border-line-strong"}`} />
          {MEMBER_WORDS[state]}
          <span className="num text-ink-3">{count(run.counts[state])}</span>
        </button>
      ))}
    </div>
  );
}
