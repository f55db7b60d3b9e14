import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useProject } from "@/hooks/use-project";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { actionsQuery, type ActionView } from "@/services/actions";
import type { TaskDetail } from "@/services/tasks";
import { ActionDialog } from "./action-dialog";
import { byUse } from "./labels";
import { type Offered, OfferedButtons } from "./offered-buttons";
import { RetryPreview } from "./retry-preview";

/** What the engine offers for this task: the brain says which of it is allowed now, and why not. */
export function offeredFor(task: TaskDetail, actions: readonly ActionView[]): Offered[] {
  return actions
    .filter((action) => action.target === "task" && action.engine === task.engine)
    .sort(byUse)
    .map((view) => {
      const said = task.actions.find(({ name }) => name === view.name);
      const obstacle = said?.allowed ? null : (said?.reason ?? "This cannot be done to this task now.");
      return { view, obstacle };
    });
}

/** The buttons of a task: one for each action, greyed with its reason where it is not allowed. */
export function TaskActions({ task }: { task: TaskDetail }) {
  const { project } = useProject();
  const actions = useQuery(actionsQuery(project));
  const [open, setOpen] = useState<ActionView | null>(null);
  const offered = offeredFor(task, actions.data?.items ?? []);
  useShortcuts({
    r: () => {
      const retry = offered.find(({ view, obstacle }) => view.name === "retry" && !obstacle);
      if (retry) setOpen(retry.view);
    },
  });
  if (actions.data && offered.length === 0) {
    return <span className="text-xs text-ink-3">No online worker offers an action for this task.</span>;
  }
  const title = task.name ?? task.task_id;
  return (
    <div className="flex flex-wrap items-center gap-1.5" role="group" aria-label="Actions">
      <OfferedButtons offered={offered} onOpen={setOpen} />
      {open && (
        <ActionDialog
          key={open.name}
          action={open}
          target={{ task_id: task.task_id }}
          object={title}
          start={{ args: task.args ?? [], kwargs: task.kwargs ?? {} }}
          onClose={() => setOpen(null)}
        >
          {open.name.startsWith("retry") && <RetryPreview task={task} isEdited={open.name !== "retry"} />}
        </ActionDialog>
      )}
    </div>
  );
}
