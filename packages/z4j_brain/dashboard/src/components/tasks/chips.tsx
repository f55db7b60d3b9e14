import { StateIcon } from "@/components/ui/state-badge";
import { toggleValue, valuesOf, withValues } from "@/filter/language";
import { cn } from "@/lib/cn";

const STATES = ["queued", "received", "running", "retrying", "failed", "succeeded", "cancelled", "rejected", "unknown"];
const SPANS = ["15m", "1h", "24h", "7d"];

interface ChipsProps {
  q: string;
  onChange: (q: string) => void;
}

const chip =
  "inline-flex h-6 shrink-0 items-center gap-1.5 rounded-full border border-line px-2 text-xs text-ink-2 hover:border-line-strong hover:text-ink aria-pressed:border-transparent aria-pressed:bg-selected aria-pressed:font-medium aria-pressed:text-ink";

/** The two filters that are wanted most; they edit the text, so both always agree. */
export function Chips({ q, onChange }: ChipsProps) {
  const states = valuesOf(q, "state");
  const since = valuesOf(q, "since")[0];
  return (
    <div className="flex items-center gap-1 overflow-x-auto px-3 pb-2 sm:px-4" role="group" aria-label="Quick filters">
      {STATES.map((state) => (
        <button
          key={state}
          type="button"
          aria-pressed={states.includes(state)}
          className={chip}
          onClick={() => onChange(toggleValue(q, "state", state))}
        >
          <StateIcon state={state} />
          {state}
        </button>
      ))}
      <span className="mx-1 h-4 w-px shrink-0 bg-line" />
      {SPANS.map((span) => (
        <button
          key={span}
          type="button"
          aria-pressed={since === span}
          className={cn(chip, "num")}
          onClick={() => onChange(withValues(q, "since", since === span ? [] : [span]))}
        >
          {span}
        </button>
      ))}
    </div>
  );
}
