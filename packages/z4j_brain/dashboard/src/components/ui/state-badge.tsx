import { cn } from "@/lib/cn";

// A shape for each state, so that colour is never the only sign.
const SHAPES: Record<string, { path: string; solid?: boolean }> = {
  queued: { path: "M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8z" },
  received: { path: "M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM6 4v2l1.5 1" },
  running: { path: "M4 2.500v7L9.5 6z", solid: true },
  retrying: { path: "M9.7 6a3.7 3.7 0 1 1-1.2-2.700M9.7 1.700v2H7.7" },
  succeeded: { path: "M2.5 6.3 5 8.800l4.5-5.3" },
  failed: { path: "M3 3l6 6M9 3 3 9" },
  cancelled: { path: "M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM3.3 8.700l5.4-5.4" },
  rejected: { path: "M6 1.8 10.2 6 6 10.2 1.8 6zM6 4.200v2M6 8h.01" },
  unknown: { path: "M4.6 4.600A1.5 1.5 0 1 1 6.4 6c-.3.1-.4.4-.4.800M6 8.800h.01" },
};

export function StateIcon({ state, className }: { state: string; className?: string }) {
  const shape = SHAPES[state] ?? SHAPES.unknown!;
  return (
    <svg
      viewBox="0 0 12 12"
      aria-hidden="true"
      data-s={state}
      className={cn("size-3 shrink-0 text-(--s)", className)}
      fill={shape.solid ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={shape.path} />
    </svg>
  );
}

/** What went as it should stays quiet, so that what did not is seen. */
const QUIET = new Set(["succeeded", "queued", "received", "cancelled"]);

export function StateBadge({ state, boxed = false }: { state: string; boxed?: boolean }) {
  return (
    <span
      data-s={state}
      className={cn(
        "inline-flex items-center gap-1.5 whitespace-nowrap",
        !boxed && QUIET.has(state) ? "text-ink-2" : "font-medium text-(--s)",
        boxed &&
          "h-6 rounded-full border border-[color-mix(in_oklch,var(--s)_35%,transparent)] bg-[color-mix(in_oklch,var(--s)_9%,transparent)] px-2 text-xs",
      )}
    >
      <StateIcon state={state} />
      {state}
    </span>
  );
}
