import { useState } from "react";
import { Page } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { usePermission, useProject } from "@/hooks/use-project";
import { Accounts } from "./accounts";
import { Invitations } from "./invitations";
import { InviteDialog } from "./invite-dialog";
import { Members } from "./members";

export function PeoplePage() {
  const { session } = useProject();
  const mayManage = usePermission("member.manage");
  const [isInviting, setInviting] = useState(false);
  return (
    <Page
      title="People"
      aside={
        mayManage && (
          <Button onClick={() => setInviting(true)}>
            <Icon name="plus" className="size-3.5" />
            Invite
          </Button>
        )
      }
    >
      <div className="flex max-w-5xl flex-col gap-3 p-3 sm:p-4">
        <Members />
        {mayManage && <Invitations />}
        {session.user?.is_admin && <Accounts />}
      </div>
      {isInviting && <InviteDialog onClose={() => setInviting(false)} />}
    </Page>
  );
}
