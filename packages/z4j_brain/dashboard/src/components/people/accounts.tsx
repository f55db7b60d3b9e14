import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Ago } from "@/components/time";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { accountsQuery, type AccountView, peopleKeys, setDisabled } from "@/services/people";
import { count } from "@/time/format";

/** How an account is opened, when it is not by the password alone. */
function opens({ has_password, has_identity }: AccountView): string | null {
  if (!has_identity) return has_password ? null : "cannot sign in";
  return has_password ? "by password or provider" : "by provider";
}

/** Every account of the instance, for its administrators. */
export function Accounts() {
  const { project, session } = useProject();
  const list = useQuery(accountsQuery);
  const [chosen, setChosen] = useState<AccountView | null>(null);
  const verb = chosen?.disabled_at ? "Enable" : "Disable";
  return (
    <Panel title="All accounts of this server" aside={list.data && count(list.data.length)}>
      {list.isPending && <Loading rows={3} />}
      {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
      <ul aria-label="All accounts">
        {list.data?.map((account) => (
          <li
            key={account.id}
            className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line/60 px-3 py-1 last:border-b-0"
          >
            <div className="min-w-0 flex-1 basis-52">
              <span className="font-medium">{account.name}</span>{" "}
              <span className="break-all text-ink-2">{account.email}</span>
              {account.is_admin && <span className="text-ink-3"> administers this server</span>}
            </div>
            <span className="text-ink-3">{opens(account)}</span>
            <span className="text-ink-2">
              {account.projects === 1 ? "1 project" : `${count(account.projects)} projects`}
            </span>
            <span className="w-28 text-ink-2">
              {account.disabled_at ? (
                <span className="text-warn">
                  disabled <Ago at={account.disabled_at} />
                </span>
              ) : account.seen_at ? (
                <>
                  seen <Ago at={account.seen_at} />
                </>
              ) : (
                "signed out"
              )}
            </span>
            <Button
              className="ml-auto"
              size="sm"
              variant={account.disabled_at ? "outline" : "danger"}
              disabled={account.id === session.user?.id}
              title={account.id === session.user?.id ? "You cannot disable yourself." : undefined}
              aria-label={`${account.disabled_at ? "Enable" : "Disable"} ${account.email}`}
              onClick={() => setChosen(account)}
            >
              {account.disabled_at ? "Enable" : "Disable"}
            </Button>
          </li>
        ))}
      </ul>
      {chosen && (
        <ConfirmDialog
          title={`${verb} ${chosen.email}`}
          act={`${verb} the account`}
          run={() => setDisabled(chosen.id, !chosen.disabled_at)}
          stale={[peopleKeys.accounts, peopleKeys.members(project)]}
          onClose={() => setChosen(null)}
        >
          <p>
            {chosen.disabled_at
              ? "They can sign in again, with the roles that they had. Their API keys work again, too."
              : "They are signed out everywhere at once and cannot sign in. Their API keys and invitations stop working. It can be undone."}
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}
