import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Icon } from "@/components/ui/icon";
import { Menu } from "@/components/ui/menu";
import { useProject } from "@/hooks/use-project";

/** Leads to another of one's projects; who has one only is shown its name. */
export function ProjectPicker() {
  const { access, session } = useProject();
  if (session.projects.length < 2) {
    return (
      <div className="truncate px-2 text-xs font-medium text-ink-3" title={access.name}>
        {access.name}
      </div>
    );
  }
  return (
    <ProjectMenu className="w-36 justify-between">
      <span className="truncate">{access.name}</span>
    </ProjectMenu>
  );
}

/** The same in the header of a phone, by the project's first letter: there is no sidebar. */
export function SmallProjectPicker() {
  const { access, session } = useProject();
  if (session.projects.length < 2) return null;
  return (
    <div className="-ml-1 sm:hidden">
      <ProjectMenu className="gap-1 px-1.5">
        <span title={access.name}>{[...access.name][0]?.toUpperCase()}</span>
      </ProjectMenu>
    </div>
  );
}

function ProjectMenu({ className, children }: { className: string; children: ReactNode }) {
  const { project, session } = useProject();
  const navigate = useNavigate();
  return (
    <Menu
      label="Choose a project"
      align="start"
      button={{ size: "sm", className }}
      trigger={
        <>
          {children}
          <Icon name="down" className="size-3" />
        </>
      }
      items={session.projects.map(({ slug, name, role }) => ({
        label: name,
        detail: `${slug} · ${slug === project ? "open now" : role}`,
        onSelect: () => void navigate({ to: "/p/$project", params: { project: slug } }),
      }))}
    />
  );
}
