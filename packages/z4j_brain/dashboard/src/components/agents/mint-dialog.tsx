import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CopyBlock } from "@/components/connect/copy-block";
import { variables } from "@/components/connect/steps";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { useProject } from "@/hooks/use-project";
import { publicUrl } from "@/lib/app-root";
import { agentKeys, type AgentView, mintToken } from "@/services/agents";

/** A further token, for a rotation without a gap: make it, roll it out, revoke the old one. */
export function MintDialog({ agent, onClose }: { agent: AgentView; onClose: () => void }) {
  const { project } = useProject();
  const client = useQueryClient();
  const mint = useMutation({
    mutationFn: () => mintToken(project, agent.id),
    onSuccess: () => client.invalidateQueries({ queryKey: agentKeys.list(project) }),
  });
  return (
    <Dialog open onClose={onClose} title={`New token for ${agent.name}`}>
      <DialogBody>
        {mint.data ? (
          <>
            <CopyBlock label="Variables with the token" text={variables(publicUrl(), mint.data.token)} />
            <p className="text-ink-2">
              <strong className="font-medium text-warn">Copy it now.</strong> The token is shown this once. The other
              tokens of {agent.name} stay good until you revoke them.
            </p>
          </>
        ) : (
          <p className="text-ink-2">
            The new token works beside those that there are. To rotate: roll out the new one, wait until the old one
            is no longer used, then revoke the old one.
          </p>
        )}
        {mint.error && (
          <p role="alert" className="text-bad">
            {mint.error.message}
          </p>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Close</Button>
        {!mint.data && (
          <Button variant="primary" disabled={mint.isPending} onClick={() => mint.mutate()}>
            {mint.isPending ? "Creating …" : "Create token"}
          </Button>
        )}
      </DialogFooter>
    </Dialog>
  );
}
