import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { TokenName } from "@/components/agents/revoke-dialog";
import { CopyBlock } from "@/components/connect/copy-block";
import { variables } from "@/components/connect/steps";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";
import { RemoteFault } from "@/components/ui/remote-fault";
import { useProject } from "@/hooks/use-project";
import { publicUrl } from "@/lib/app-root";
import { agentKeys, type AgentView, rotateToken, type TokenView } from "@/services/agents";

const OVERLAPS = [
  { hours: 0, label: "not at all" },
  { hours: 1, label: "1 hour" },
  { hours: 24, label: "1 day" },
  { hours: 168, label: "7 days" },
  { hours: 720, label: "30 days" },
];

interface RotateDialogProps {
  agent: AgentView;
  token: TokenView;
  onClose: () => void;
}

/** A new token in place of an old one, which works until its set end. */
export function RotateDialog({ agent, token, onClose }: RotateDialogProps) {
  const { project } = useProject();
  const client = useQueryClient();
  const [hours, setHours] = useState(24);
  const rotate = useMutation({
    mutationFn: () => rotateToken(project, agent.id, token.id, hours),
    onSuccess: () => client.invalidateQueries({ queryKey: agentKeys.list(project) }),
  });
  return (
    <Dialog open onClose={onClose} title={`Rotate a token of ${agent.name}`}>
      <DialogBody>
        {rotate.data ? (
          <>
            <CopyBlock label="Variables with the token" text={variables(publicUrl(), rotate.data.token)} />
            <p className="text-ink-2">
              <strong className="font-medium text-warn">Copy it now.</strong> The token is shown this once. Roll it out
              before the old one ends.
            </p>
          </>
        ) : (
          <>
            <p>
              A new token takes the place of <TokenName token={token} />. Processes that still use the old one when it
              ends are cut off.
            </p>
            <Field label="The old one works on for">
              {(ids) => (
                <Select {...ids} value={hours} onChange={(event) => setHours(Number(event.target.value))}>
                  {OVERLAPS.map(({ hours: value, label }) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          </>
        )}
        <RemoteFault error={rotate.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Close</Button>
        {!rotate.data && (
          <Button variant="primary" disabled={rotate.isPending} onClick={() => rotate.mutate()}>
            {rotate.isPending ? "Rotating …" : "Rotate it"}
          </Button>
        )}
      </DialogFooter>
    </Dialog>
  );
}
