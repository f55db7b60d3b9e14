import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Icon, type IconName } from "@/components/ui/icon";
import { RemoteFault } from "@/components/ui/remote-fault";
import { usePermission, useProject } from "@/hooks/use-project";
import { bulkKeys, type BulkRun, type BulkStep, isEnded, takeBulkStep } from "@/services/bulk-runs";
import { count } from "@/time/format";

const STEPS: Partial<Record<BulkRun["state"], { step: BulkStep; label: string; icon: IconName }>> = {
  canary: { step: "pause", label: "Pause", icon: "pause" },
  running: { step: "pause", label: "Pause", icon: "pause" },
  paused: { step: "resume", label: "Resume", icon: "play" },
  waiting: { step: "approve", label: "Approve the rest", icon: "check" },
};

/** What may be done to a run in its state. */
export function StepButtons({ run }: { run: BulkRun }) {
  const { project } = useProject();
  const client = useQueryClient();
  const mayRun = usePermission("bulk.run");
  const [isAborting, setAborting] = useState(false);
  const key = bulkKeys.detail(project, run.id);
  const send = useMutation({
    mutationFn: (step: BulkStep) => takeBulkStep(project, run.id, step),
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
  if (!mayRun || isEnded(run) || run.state === "aborting") return null;
  const next = STEPS[run.state];
  return (
    <div className="flex flex-wrap items-center gap-1.5" role="group" aria-label="Steps">
      <RemoteFault error={send.error} />
      {next && (
        <Button
          variant={next.step === "pause" ? "outline" : "primary"}
          disabled={send.isPending}
          onClick={() => send.mutate(next.step)}
        >
          <Icon name={next.icon} className="size-3.5" />
          {next.label}
        </Button>
      )}
      <Button variant="danger" disabled={send.isPending} onClick={() => setAborting(true)}>
        <Icon name="stop" className="size-3.5" />
        Abort
      </Button>
      {isAborting && (
        <ConfirmDialog
          title="Abort this run"
          act="Abort"
          run={() => takeBulkStep(project, run.id, "abort")}
          stale={[key, bulkKeys.lists(project)]}
          onClose={() => setAborting(false)}
        >
          <p>
            The {count(run.counts.waiting)} tasks that wait are left as they are. What was sent is not taken back, and
            the run cannot be resumed.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}
