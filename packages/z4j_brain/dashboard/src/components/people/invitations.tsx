import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { End } from "@/components/time";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Fault } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { invitationsQuery, type InvitationView, peopleKeys, withdraw } from "@/services/people";
import { count } from "@/time/format";

/** The open invitations; nothing while there are none. */
export function Invitations() {
  const { project } = useProject();
  const list = useQuery(invitationsQuery(project));
  const [chosen, setChosen] = useState<InvitationView | null>(null);
  if (list.error) return <Fault error={list.error} retry={() => void list.refetch()} />;
  if (!list.data || list.data.items.length === 0) return null;
  return (
    <Panel title="Open invitations" aside={count(list.data.items.length)}>
      <ul aria-label="Open invitations">
        {list.data.items.map((each) => (
          <li
            key={each.id}
            className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line/60 px-3 py-1 last:border-b-0"
          >
            <div className="min-w-0 flex-1 basis-52">
              <span className="font-medium break-all">{each.email}</span>{" "}
              <span className="text-ink-2">
                as {each.role}, by {each.invited_by}
              </span>
            </div>
            {each.void ? (
              <span className="text-warn" title={`${each.invited_by} may not invite any more.`}>
                void
              </span>
            ) : (
              <span className="text-ink-2">
                <End at={each.expires_at} />
              </span>
            )}
            <Button className="ml-auto" size="sm" variant="danger" aria-label={`Withdraw ${each.email}`} onClick={() => setChosen(each)}>
              Withdraw
            </Button>
          </li>
        ))}
      </ul>
      {chosen && (
        <ConfirmDialog
          title={`Withdraw the invitation of ${chosen.email}`}
          act="Withdraw it"
          run={() => withdraw(project, chosen.id)}
          stale={[peopleKeys.invitations(project)]}
          onClose={() => setChosen(null)}
        >
          <p>The link that {chosen.email} was given stops working.</p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}
