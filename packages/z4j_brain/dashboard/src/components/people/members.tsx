import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Select } from "@/components/ui/input";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { RemoteFault } from "@/components/ui/remote-fault";
import { usePermission, useProject } from "@/hooks/use-project";
import { changeRole, membersQuery, type MemberView, peopleKeys, removeMember, type Role, ROLES } from "@/services/people";
import { count } from "@/time/format";
import { ROLE_TEXT } from "./roles";

export function Members() {
  const { project, access } = useProject();
  const client = useQueryClient();
  const list = useQuery(membersQuery(project));
  const [leaving, setLeaving] = useState<MemberView | null>(null);
  const change = useMutation({
    mutationFn: ({ member, role }: { member: MemberView; role: Role }) => changeRole(project, member.user_id, role),
    onSettled: () => client.invalidateQueries({ queryKey: peopleKeys.members(project) }),
  });
  return (
    <Panel title="Members" aside={list.data && count(list.data.length)}>
      {list.isPending && <Loading rows={3} />}
      {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
      <ul aria-label="Members">
        {list.data?.map((member) => (
          <MemberRow
            key={member.user_id}
            member={member}
            isBusy={change.isPending}
            onRole={(role) => change.mutate({ member, role })}
            onRemove={() => setLeaving(member)}
          />
        ))}
      </ul>
      {change.error && (
        <div className="px-3 py-2">
          <RemoteFault error={change.error} />
        </div>
      )}
      {leaving && (
        <ConfirmDialog
          title={`Remove ${leaving.name}`}
          act={`Remove ${leaving.name}`}
          run={() => removeMember(project, leaving.user_id)}
          stale={[peopleKeys.members(project), peopleKeys.invitations(project)]}
          onClose={() => setLeaving(null)}
        >
          <p>
            <strong className="font-medium">{leaving.email}</strong> will find no project {access.name} any more. API
            keys and invitations that they made stop working here.
          </p>
          <p className="text-ink-2">What they did stays in the record.</p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}

interface MemberRowProps {
  member: MemberView;
  isBusy: boolean;
  onRole: (role: Role) => void;
  onRemove: () => void;
}

function MemberRow({ member, isBusy, onRole, onRemove }: MemberRowProps) {
  const { session } = useProject();
  const mayManage = usePermission("member.manage");
  return (
    <li className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line/60 px-3 py-1 last:border-b-0">
      <div className="min-w-0 flex-1 basis-52">
        <span className="font-medium">{member.name}</span>{" "}
        <span className="break-all text-ink-2">{member.email}</span>
        {member.user_id === session.user?.id && <span className="text-ink-3"> (you)</span>}
        {member.disabled && <span className="text-warn"> disabled</span>}
      </div>
      {mayManage ? (
        <span className="ml-auto flex items-center gap-2">
          <Select
            aria-label={`Role of ${member.email}`}
            className="w-28"
            disabled={isBusy}
            value={member.role}
            onChange={(event) => onRole(event.target.value as Role)}
          >
            {ROLES.map((role) => (
              <option key={role} value={role} title={ROLE_TEXT[role]}>
                {role}
              </option>
            ))}
          </Select>
          <Button size="sm" variant="danger" aria-label={`Remove ${member.email}`} onClick={onRemove}>
            Remove
          </Button>
        </span>
      ) : (
        <span className="text-ink-2" title={ROLE_TEXT[member.role]}>
          {member.role}
        </span>
      )}
    </li>
  );
}
