import { cn } from "@/lib/cn";
import { type Range, RANGES } from "@/services/series";

const SPOKEN: Record<Range, string> = {
  "1h": "the last hour",
  "24h": "the last 24 hours",
  "7d": "the last 7 days",
  "30d": "the last 30 days",
};

export const spokenRange = (range: Range): string => SPOKEN[range];

interface RangePickerProps {
  range: Range;
  onRange: (range: Range) => void;
}

export function RangePicker({ range, onRange }: RangePickerProps) {
  return (
    <div role="group" aria-label="Span of time" className="flex rounded-md border border-line bg-sunken p-px">
      {RANGES.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === range}
          title={SPOKEN[one]}
          onClick={() => onRange(one)}
          className={cn(
            "num h-6 rounded-[5px] px-2 text-xs text-ink-2 hover:text-ink",
            one === range && "bg-panel font-semibold text-ink shadow-low",
          )}
        >
          {one}
        </button>
      ))}
    </div>
  );
}
