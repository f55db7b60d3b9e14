import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ActionDialog } from "@/components/actions/action-dialog";
import { buttonOf } from "@/components/actions/labels";
import { Icon } from "@/components/ui/icon";
import { Menu } from "@/components/ui/menu";
import { useProject } from "@/hooks/use-project";
import { actionsQuery, type ActionView } from "@/services/actions";

/** What can be done with a queue, where some worker's engine offers it. */
export function QueueActions({ engine, queue }: { engine: string; queue: string }) {
  const { project, access } = useProject();
  const actions = useQuery(actionsQuery(project)).data?.items ?? [];
  const [open, setOpen] = useState<ActionView | null>(null);
  const mine = actions.filter(
    (action) => action.target === "queue" && action.engine === engine && access.permissions.includes(action.permission),
  );
  if (mine.length === 0 && !open) return null;
  return (
    <>
      <Menu
        label={`Actions for queue ${queue}`}
        button={{ variant: "ghost", size: "icon-sm" }}
        trigger={<Icon name="more" />}
        items={mine.map((action) => ({
          label: buttonOf(action).label,
          detail: action.description,
          danger: action.destructive,
          onSelect: () => setOpen(action),
        }))}
      />
      {open && (
        <div className="text-left" onClick={(event) => event.stopPropagation()} onKeyDown={(event) => event.stopPropagation()}>
          <ActionDialog
            action={open}
            target={{ queue }}
            object={`queue ${queue}`}
            confirmBy={queue}
            onClose={() => setOpen(null)}
          />
        </div>
      )}
    </>
  );
}
