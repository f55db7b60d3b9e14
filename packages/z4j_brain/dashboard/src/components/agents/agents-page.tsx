import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { Page } from "@/components/shell/page";
import { buttonVariants } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useRowKeys } from "@/components/workers/use-row-keys";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { agentsQuery, type AgentView, type TokenView } from "@/services/agents";
import { cappedCount, count } from "@/time/format";
import { AGENT_GRID, AgentRow } from "./agent-row";
import { inOrder } from "./credentials";
import { MintDialog } from "./mint-dialog";
import { RevokeDialog } from "./revoke-dialog";

const HEADS = ["Agent", "Workers", "Last use", "Address", "Created", "Tokens", ""];
/** "Last use" and the workers online move without a change of any agent. */
const POLL_MS = 15_000;

export function AgentsPage() {
  const { project } = useProject();
  const list = useQuery({ ...agentsQuery(project), refetchInterval: POLL_MS });
  return (
    <Page
      title="Agents"
      fixed
      aside={
        <Link to="/p/$project/connect" params={{ project }} className={buttonVariants()}>
          <Icon name="plus" className="size-3.5" />
          Connect another
        </Link>
      }
    >
      <div className="min-h-0 flex-1 overflow-y-auto bg-panel">
        {list.isPending && <Loading rows={8} />}
        {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
        {list.data?.items.length === 0 && (
          <Empty icon="agents" title="No agent yet">
            <p className="mb-2">An agent is a name and a token that an application connects with.</p>
            <Link to="/p/$project/connect" params={{ project }} className={buttonVariants({ variant: "primary" })}>
              Connect an application
            </Link>
          </Empty>
        )}
        {list.data && list.data.items.length > 0 && <AgentTable agents={list.data.items} />}
        {list.data?.next && (
          <p className="px-4 py-2 text-xs text-ink-3">
            The first {count(list.data.items.length)} of {cappedCount(list.data.count, list.data.count_capped)} are
            shown.
          </p>
        )}
      </div>
    </Page>
  );
}

type Asked = { what: "mint"; agent: AgentView } | { what: "revoke"; agent: AgentView; token: TokenView | null };

function AgentTable({ agents }: { agents: AgentView[] }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => inOrder(agents), [agents]);
  const toggle = ({ id }: { id: string }) => {
    const next = new Set(unfolded);
    if (!next.delete(id)) next.add(id);
    setUnfolded(next);
  };
  const chosen = useRowKeys(rows, toggle);
  return (
    <>
      <div role="table" aria-label="Agents">
        <div role="rowgroup" className="sticky top-0 z-10 hidden border-b border-line bg-panel sm:block">
          <div role="row" className={cn(AGENT_GRID, "h-7 px-4")}>
            {HEADS.map((head) => (
              <div key={head} role="columnheader" className={cn("label", head === "Tokens" && "text-right")}>
                {head || <span className="sr-only">Actions</span>}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup">
          {rows.map((agent) => (
            <AgentRow
              key={agent.id}
              agent={agent}
              isChosen={agent.id === chosen}
              isOpen={unfolded.has(agent.id)}
              onToggle={() => toggle(agent)}
              onMint={() => setAsked({ what: "mint", agent })}
              onRevoke={(token) => setAsked({ what: "revoke", agent, token })}
            />
          ))}
        </div>
      </div>
      {asked?.what === "mint" && <MintDialog agent={asked.agent} onClose={() => setAsked(null)} />}
      {asked?.what === "revoke" && (
        <RevokeDialog agent={asked.agent} token={asked.token} onClose={() => setAsked(null)} />
      )}
    </>
  );
}
