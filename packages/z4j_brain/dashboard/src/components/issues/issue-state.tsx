import { cn } from "@/lib/cn";
import type { Decision, IssueSummary } from "@/services/issues";
import { absolute, count } from "@/time/format";
import { useZone } from "@/time/clock";

/** A state in words; what came back after it was resolved is loud. */
export function IssueBadge({ issue }: { issue: Pick<IssueSummary, "state" | "regressed"> }) {
  const isLoud = issue.state === "open";
  return (
    <span
      data-testid="issue-state"
      className={cn(
        "inline-flex h-5 items-center rounded-full border px-2 text-xs font-medium whitespace-nowrap",
        isLoud ? "border-bad/40 bg-bad/8 text-bad" : "border-line-strong text-ink-2",
      )}
    >
      {issue.regressed ? "regressed" : issue.state}
    </span>
  );
}

/** "resolved by ada@example.org", "muted until …": what was decided last. */
export function useDecisionText(): (decision: Decision) => string {
  const zone = useZone();
  return ({ decision, muted_until, muted_count }) => {
    if (decision === "resolved") return "Resolved";
    if (decision === "open") return "Opened again";
    const until = [
      muted_until && absolute(muted_until, zone),
      muted_count !== null && `${count(muted_count)} failures in all`,
    ].filter(Boolean);
    return until.length ? `Muted until ${until.join(" or ")}` : "Muted for good";
  };
}
