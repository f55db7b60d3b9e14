import { useState } from "react";
import { Page } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Empty } from "@/components/ui/note";
import { usePermission, useProject } from "@/hooks/use-project";
import { InstancePanel } from "./instance-panel";
import { ProjectDialog } from "./project-dialog";
import { ProjectList } from "./project-list";
import { ProjectPanel } from "./project-panel";
import { SettingList } from "./setting-list";

/** The project's name for its admins; projects, sizes and settings for who runs the instance. */
export function SettingsPage() {
  const { project, session } = useProject();
  const mayManage = usePermission("project.manage");
  const isAdministrator = session.user?.is_admin ?? false;
  const [isMaking, setMaking] = useState(false);
  return (
    <Page
      title="Settings"
      aside={
        isAdministrator && (
          <Button onClick={() => setMaking(true)}>
            <Icon name="plus" className="size-3.5" />
            New project
          </Button>
        )
      }
    >
      {mayManage ? (
        <div className="flex max-w-5xl flex-col gap-3 p-3 sm:p-4">
          <ProjectPanel key={project} />
          {isAdministrator && (
            <>
              <ProjectList />
              <InstancePanel />
              <SettingList />
            </>
          )}
        </div>
      ) : (
        <Empty icon="settings" title="Settings are for admins">
          An admin of the project can rename it, or make you an admin.
        </Empty>
      )}
      {isMaking && <ProjectDialog onClose={() => setMaking(false)} />}
    </Page>
  );
}
