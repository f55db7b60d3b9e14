import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Ago } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { useProject } from "@/hooks/use-project";
import { agentKeys, type AgentView, revokeAgent, revokeToken, type TokenView } from "@/services/agents";
import { count } from "@/time/format";
import { consequence, isActive } from "./credentials";

interface RevokeDialogProps {
  agent: AgentView;
  /** Only this token; without it the agent with all its tokens. */
  token: TokenView | null;
  onClose: () => void;
}

export function RevokeDialog({ agent, token, onClose }: RevokeDialogProps) {
  const { project } = useProject();
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => (token ? revokeToken(project, agent.id, token.id) : revokeAgent(project, agent.id)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: agentKeys.list(project) });
      onClose();
    },
  });
  const active = agent.tokens.filter((each) => isActive(each)).length;
  return (
    <Dialog open onClose={onClose} title={token ? `Revoke a token of ${agent.name}` : `Revoke ${agent.name}`}>
      <DialogBody>
        {token ? (
          <p>
            <TokenName token={token} /> of <strong className="font-medium">{agent.name}</strong>, last used{" "}
            {token.last_used_at ? <Ago at={token.last_used_at} /> : "never"}
            {token.last_address && ` from ${token.last_address}`}, will be refused from now on.
          </p>
        ) : (
          <p>
            <strong className="font-medium">{agent.name}</strong> and{" "}
            {active === 1 ? "its token" : `its ${count(active)} tokens`} will be refused from now on. {consequence(agent)}
          </p>
        )}
        <p className="text-ink-2">
          This cannot be taken back.{" "}
          {token ? "Make a new token if one is needed again." : "What the agent told stays in the record; its name stays taken."}
        </p>
        {revoke.error && (
          <p role="alert" className="text-bad">
            {revoke.error.message}
          </p>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Keep it</Button>
        <Button variant="alarm" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
          {revoke.isPending ? "Revoking …" : token ? `Revoke this token of ${agent.name}` : `Revoke ${agent.name}`}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

/** The end of the id is enough to tell tokens apart; their text is kept nowhere. */
export function TokenName({ token }: { token: TokenView }) {
  return (
    <span>
      Token <span className="mono">{token.id.slice(-8)}</span>
    </span>
  );
}
