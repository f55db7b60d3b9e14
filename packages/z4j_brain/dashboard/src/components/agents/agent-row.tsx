import { Ago } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { usePermission } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { AgentView, TokenView } from "@/services/agents";
import { count } from "@/time/format";
import { isActive, lastAddress, tokenText } from "./credentials";
import { TokenName } from "./revoke-dialog";

export const AGENT_GRID =
  "grid grid-cols-[minmax(0,1fr)_96px_auto] items-center gap-x-3 sm:grid-cols-[minmax(0,1fr)_110px_96px_minmax(0,150px)_96px_72px_190px]";

interface AgentRowProps {
  agent: AgentView;
  isChosen: boolean;
  isOpen: boolean;
  onToggle: () => void;
  onMint: () => void;
  onRevoke: (token: TokenView | null) => void;
}

/** One agent; the row unfolds its tokens. */
export function AgentRow({ agent, isChosen, isOpen, onToggle, onMint, onRevoke }: AgentRowProps) {
  const mayManage = usePermission("agent.manage");
  const isRevoked = agent.revoked_at !== null;
  return (
    <>
      <div
        role="row"
        data-row={agent.id}
        data-agent={agent.name}
        data-selected={isChosen}
        onClick={onToggle}
        className={cn(
          AGENT_GRID,
          "min-h-8 cursor-pointer border-b border-line/60 px-4 hover:bg-hover data-[selected=true]:bg-selected",
        )}
      >
        <div role="cell" className="flex min-w-0 items-center gap-1.5">
          <button
            type="button"
            aria-expanded={isOpen}
            aria-label={`Tokens of ${agent.name}`}
            className="grid size-5 shrink-0 place-items-center rounded-sm text-ink-3"
            onClick={(event) => {
              event.stopPropagation();
              onToggle();
            }}
          >
            <Icon name="chevron" className={cn("size-3", isOpen && "rotate-90")} />
          </button>
          <span className={cn("truncate font-medium", isRevoked && "text-ink-3 line-through")} title={agent.name}>
            {agent.name}
          </span>
        </div>
        <div role="cell">
          <Online agent={agent} />
        </div>
        <div role="cell" className="hidden sm:block">
          <Ago at={agent.last_used_at} className="text-ink-2" />
        </div>
        <div role="cell" className="mono hidden truncate text-ink-2 sm:block">
          {lastAddress(agent.tokens) ?? "–"}
        </div>
        <div role="cell" className="hidden sm:block">
          <Ago at={agent.created_at} className="text-ink-2" />
        </div>
        <div role="cell" className="num hidden text-right text-ink-2 sm:block">
          {tokenText(agent.tokens)}
        </div>
        <div role="cell" className="flex justify-end gap-1" onClick={(event) => event.stopPropagation()}>
          {mayManage && !isRevoked && (
            <>
              <Button size="sm" aria-label={`New token for ${agent.name}`} onClick={onMint}>
                New token
              </Button>
              <Button size="sm" variant="danger" aria-label={`Revoke ${agent.name}`} onClick={() => onRevoke(null)}>
                Revoke
              </Button>
            </>
          )}
        </div>
      </div>
      {isOpen &&
        agent.tokens.map((token) => (
          <TokenRow key={token.id} token={token} mayRevoke={mayManage && isActive(token)} onRevoke={() => onRevoke(token)} />
        ))}
    </>
  );
}

function Online({ agent }: { agent: AgentView }) {
  if (agent.revoked_at) {
    return (
      <span className="text-ink-3">
        revoked <Ago at={agent.revoked_at} />
      </span>
    );
  }
  const { workers_online: online } = agent;
  if (online === 0) return <span className="text-ink-3">{agent.last_used_at ? "none" : "never yet"}</span>;
  return (
    <span className="num inline-flex items-center gap-1.5 font-medium text-good">
      <span className="size-2 rounded-full bg-current" />
      {count(online)} online
    </span>
  );
}

interface TokenRowProps {
  token: TokenView;
  mayRevoke: boolean;
  onRevoke: () => void;
}

function TokenRow({ token, mayRevoke, onRevoke }: TokenRowProps) {
  return (
    <div role="row" className={cn(AGENT_GRID, "min-h-7 border-b border-line/60 bg-sunken px-4 text-xs")}>
      <div role="cell" className="truncate pl-6.5 text-ink-2">
        <TokenName token={token} />
      </div>
      <div role="cell" className="text-ink-3">
        {token.revoked_at ? (
          <>
            revoked <Ago at={token.revoked_at} />
          </>
        ) : !isActive(token) ? (
          <>
            ended <Ago at={token.expires_at} />
          </>
        ) : token.expires_at ? (
          `until ${token.expires_at.slice(0, 10)}`
        ) : token.last_used_at ? (
          "in force"
        ) : (
          "never used"
        )}
      </div>
      <div role="cell" className="hidden sm:block">
        <Ago at={token.last_used_at} className="text-ink-2" />
      </div>
      <div role="cell" className="mono hidden truncate text-ink-2 sm:block">
        {token.last_address ?? "–"}
      </div>
      <div role="cell" className="hidden sm:block">
        <Ago at={token.created_at} className="text-ink-2" />
      </div>
      <div role="cell" className="hidden sm:block" />
      <div role="cell" className="flex justify-end">
        {mayRevoke && (
          <Button size="sm" variant="ghost" aria-label={`Revoke token ${token.id.slice(-8)}`} onClick={onRevoke}>
            Revoke
          </Button>
        )}
      </div>
    </div>
  );
}
