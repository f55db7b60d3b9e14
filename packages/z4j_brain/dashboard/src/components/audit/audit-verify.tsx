import { useMutation } from "@tanstack/react-query";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Fault } from "@/components/ui/note";
import { cn } from "@/lib/cn";
import { type AuditPlace, type AuditVerified, verifyAudit } from "@/services/audit";
import { count } from "@/time/format";

/** The button that verifies the chain, and what came of it. */
export function AuditVerify({ place }: { place: AuditPlace }) {
  const verify = useMutation({ mutationFn: () => verifyAudit(place) });
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2 sm:px-4">
      <Button size="sm" disabled={verify.isPending} onClick={() => verify.mutate()}>
        <Icon name="check" className="size-3.5" />
        {verify.isPending ? "Verifying …" : "Verify"}
      </Button>
      {verify.data ? (
        <Outcome found={verify.data} />
      ) : (
        <p className="text-xs text-ink-3">
          Each row is signed together with the one before it: a change in the database is found.
        </p>
      )}
      {verify.error && <Fault error={verify.error} />}
    </div>
  );
}

function Outcome({ found }: { found: AuditVerified }) {
  return (
    <p
      role="status"
      data-testid="audit-verified"
      data-intact={found.intact}
      className={cn("min-w-0 flex-1 font-medium", found.intact ? "text-good" : "text-bad")}
    >
      {sentence(found)}
    </p>
  );
}

function sentence(found: AuditVerified): string {
  if (found.broken) return `Row ${found.broken.number} is not as it was written: ${found.broken.reason}.`;
  if (found.whole && found.pruned !== null) {
    return (
      `All ${count(found.rows)} rows are as they were written.` +
      ` Rows up to ${found.pruned} were removed by the server because of their age.`
    );
  }
  if (found.whole) return `The whole log is as it was written: ${count(found.rows)} rows.`;
  return (
    `The newest ${count(found.rows)} rows are as they were written.` +
    " The command z4j audit verify verifies all."
  );
}
