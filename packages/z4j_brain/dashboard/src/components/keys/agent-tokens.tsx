import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { isActive } from "@/components/agents/credentials";
import { RevokeDialog, TokenName } from "@/components/agents/revoke-dialog";
import { Ago, End } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { usePermission, useProject } from "@/hooks/use-project";
import { agentsQuery, type AgentView, type TokenView } from "@/services/agents";
import { useNow } from "@/time/clock";
import { count } from "@/time/format";
import { RotateDialog } from "./rotate-dialog";

interface Chosen {
  what: "rotate" | "revoke";
  agent: AgentView;
  token: TokenView;
}

/** The tokens of agents that are not revoked, with the end of those that were rotated. */
export function AgentTokens() {
  const { project } = useProject();
  const mayManage = usePermission("agent.manage");
  const now = useNow();
  const list = useQuery(agentsQuery(project));
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const rows = (list.data?.items ?? []).flatMap((agent) =>
    agent.tokens.filter((token) => token.revoked_at === null).map((token) => ({ agent, token })),
  );
  return (
    <Panel title="Agent tokens" aside={list.data && count(rows.length)}>
      {list.isPending && <Loading rows={3} />}
      {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
      {list.data && rows.length === 0 && (
        <Empty icon="agents" title="No agent token yet" className="py-8">
          An application connects with one; Connect makes it.
        </Empty>
      )}
      <ul aria-label="Agent tokens">
        {rows.map(({ agent, token }) => (
          <li
            key={token.id}
            className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line/60 px-3 py-1 last:border-b-0"
          >
            <div className="min-w-0 flex-1 basis-52">
              <span className="font-medium">{agent.name}</span>{" "}
              <span className="text-ink-2">
                <TokenName token={token} />
              </span>
            </div>
            <span className="basis-56 text-xs text-ink-2">
              {token.last_used_at ? (
                <>
                  used <Ago at={token.last_used_at} /> from <span className="mono">{token.last_address ?? "–"}</span>
                </>
              ) : (
                "never used"
              )}
              , <End at={token.expires_at} />
            </span>
            {mayManage && (
              <span className="ml-auto flex gap-1">
                {isActive(token, now) && (
                  <Button
                    size="sm"
                    aria-label={`Rotate token ${token.id.slice(-8)}`}
                    onClick={() => setChosen({ what: "rotate", agent, token })}
                  >
                    Rotate
                  </Button>
                )}
                <Button
                  size="sm"
                  variant="danger"
                  aria-label={`Revoke token ${token.id.slice(-8)}`}
                  onClick={() => setChosen({ what: "revoke", agent, token })}
                >
                  Revoke
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {chosen?.what === "rotate" && (
        <RotateDialog agent={chosen.agent} token={chosen.token} onClose={() => setChosen(null)} />
      )}
      {chosen?.what === "revoke" && (
        <RevokeDialog agent={chosen.agent} token={chosen.token} onClose={() => setChosen(null)} />
      )}
    </Panel>
  );
}
