import { type ReactNode, useMemo, useState } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { stringifyExact } from "@/services/exact-json";

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG = 4_000;

/** JSON as text, coloured; always text nodes, whatever a payload holds. */
export function JsonText({ value, className }: { value: unknown; className?: string }) {
  const text = useMemo(() => stringifyExact(value, 2), [value]);
  const [isWhole, setWhole] = useState(text.length <= LONG);
  const shown = isWhole ? text : text.slice(0, LONG);
  const parts = useMemo(() => paint(shown), [shown]);
  return (
    <div className={cn("min-w-0", className)}>
      <pre className="rounded-md bg-code px-3 py-2 leading-4.5 break-words whitespace-pre-wrap">
        {parts}
        {!isWhole && " …"}
      </pre>
      {!isWhole && (
        <Button size="sm" variant="ghost" onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString("en-US")} characters
        </Button>
      )}
    </div>
  );
}

function paint(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) parts.push(text.slice(at, match.index));
    const tone = match[2] !== undefined ? "text-ink-2" : match[1] !== undefined ? "text-[var(--s-succeeded)]" : "text-[var(--s-running)]";
    parts.push(
      <span key={match.index} className={tone}>
        {match[1] ?? match[0]}
      </span>,
    );
    if (match[2]) parts.push(match[2]);
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}
