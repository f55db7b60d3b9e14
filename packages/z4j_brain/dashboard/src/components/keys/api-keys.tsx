import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Ago, End } from "@/components/time";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { usePermission, useProject } from "@/hooks/use-project";
import { keyKeys, type KeyView, ownKeysQuery, projectKeysQuery, revokeKey } from "@/services/keys";
import { count } from "@/time/format";
import { merged } from "./merged";

/** One's own keys that work in this project, and for its admins those of others. */
export function ApiKeys() {
  const { project, session } = useProject();
  const mayManage = usePermission("key.manage");
  const own = useQuery(ownKeysQuery);
  const others = useQuery({ ...projectKeysQuery(project), enabled: mayManage });
  const [chosen, setChosen] = useState<KeyView | null>(null);
  const keys = merged(own.data?.items ?? [], others.data?.items ?? [], project);
  const error = own.error ?? others.error;
  return (
    <Panel title="API keys" aside={own.data && count(keys.length)}>
      {own.isPending && <Loading rows={3} />}
      {error && <Fault error={error} retry={() => void own.refetch()} />}
      {own.data && keys.length === 0 && (
        <Empty icon="keys" title="No API key yet" className="py-8">
          A key lets a program call the API, with the scopes that you choose.
        </Empty>
      )}
      <ul aria-label="API keys">
        {keys.map((key) => (
          <KeyRow key={key.id} item={key} isOwn={key.owner === session.user?.email} onRevoke={() => setChosen(key)} />
        ))}
      </ul>
      {chosen && (
        <ConfirmDialog
          title={`Revoke ${chosen.name}`}
          act={`Revoke ${chosen.name}`}
          run={() => revokeKey(chosen, chosen.owner === session.user?.email)}
          stale={[keyKeys.own]}
          onClose={() => setChosen(null)}
        >
          <p>
            <strong className="font-medium">{chosen.name}</strong> of {chosen.owner}, last used{" "}
            {chosen.last_used_at ? <Ago at={chosen.last_used_at} /> : "never"}
            {chosen.last_address && ` from ${chosen.last_address}`}, will be refused from now on. This cannot be taken
            back.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}

function KeyRow({ item, isOwn, onRevoke }: { item: KeyView; isOwn: boolean; onRevoke: () => void }) {
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-1 border-b border-line/60 px-3 py-1.5 last:border-b-0">
      <div className="min-w-0 flex-1 basis-64">
        <p>
          <span className="font-medium">{item.name}</span>{" "}
          <span className="text-ink-2">
            {isOwn ? "yours" : item.owner}
            {item.project === null && ", in every project"}
          </span>
        </p>
        <p className="mono text-xs break-words text-ink-2">{item.scopes.join(" ")}</p>
        {item.networks.length > 0 && (
          <p className="text-xs text-ink-3">
            only from <span className="mono">{item.networks.join(", ")}</span>
          </p>
        )}
      </div>
      <div className="basis-44 text-xs text-ink-2">
        <p>
          {item.last_used_at ? (
            <>
              used <Ago at={item.last_used_at} /> from <span className="mono">{item.last_address ?? "–"}</span>
            </>
          ) : (
            "never used"
          )}
        </p>
        <p>
          <End at={item.expires_at} />
        </p>
      </div>
      <Button className="ml-auto" size="sm" variant="danger" aria-label={`Revoke ${item.name}`} onClick={onRevoke}>
        Revoke
      </Button>
    </li>
  );
}
