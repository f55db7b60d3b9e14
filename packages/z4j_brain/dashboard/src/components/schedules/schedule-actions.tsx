import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ActionDialog } from "@/components/actions/action-dialog";
import { sentence } from "@/components/actions/labels";
import { type Offered, OfferedButtons } from "@/components/actions/offered-buttons";
import { Icon } from "@/components/ui/icon";
import { useProject } from "@/hooks/use-project";
import { isObject } from "@/schema/schema";
import type { ActionView } from "@/services/actions";
import { type ScheduleDetail, type StoreView, storesQuery } from "@/services/schedules";

/** Actions that a later start of the application does not undo. */
const PASSING = new Set(["run_now"]);
const ORDER = ["run_now", "pause", "resume", "update"];

/** What can be done with this schedule now; pause and resume only where they would change it. */
export function offeredFor(detail: ScheduleDetail, store: StoreView, permissions: readonly string[]): Offered[] {
  const { schedule, absent } = detail;
  const useless = schedule.enabled ? "resume" : "pause";
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return store.actions
    .filter(({ target, name }) => target === "schedule" && name !== useless)
    .sort((one, other) => rank(one.name) - rank(other.name))
    .map((view) => ({ view, obstacle: absent[view.name] ?? lacking(view, permissions) }));
}

const lacking = (view: ActionView, permissions: readonly string[]) =>
  permissions.includes(view.permission) ? null : `Your role lacks the permission ${view.permission}.`;

export function ScheduleActions({ detail }: { detail: ScheduleDetail }) {
  const { project, access } = useProject();
  const stores = useQuery(storesQuery(project));
  const [open, setOpen] = useState<ActionView | null>(null);
  const { schedule } = detail;
  const store = stores.data?.items.find(
    (each) => each.scheduler === schedule.scheduler && each.store === schedule.store,
  );
  if (!store || schedule.gone_at) return null;
  const offered = offeredFor(detail, store, access.permissions);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-1.5" role="group" aria-label="Actions">
        <OfferedButtons offered={offered} onOpen={setOpen} />
        {offered.length === 0 && (
          <span className="text-xs text-ink-3">No online process offers an action for this schedule.</span>
        )}
      </div>
      <Absences store={store} detail={detail} />
      {open && (
        <ActionDialog
          key={open.name}
          action={open}
          target={{ store: schedule.store, schedule: schedule.schedule }}
          object={`schedule ${schedule.name}`}
          confirmBy={open.name === "pause" ? undefined : schedule.name}
          start={isObject(detail.values) ? detail.values : undefined}
          onlyChanges={open.name === "update"}
          onClose={() => setOpen(null)}
        >
          {!PASSING.has(open.name) && <Warning detail={detail} isForm={open.name === "update"} />}
        </ActionDialog>
      )}
    </div>
  );
}

/** Said before the change is made: what would undo it, and what the form does not show. */
function Warning({ detail, isForm }: { detail: ScheduleDetail; isForm: boolean }) {
  const texts = [detail.schedule.undone_by];
  if (isForm && detail.hidden.length > 0) {
    texts.push(`Not shown, because it holds secrets or is long: ${detail.hidden.join(", ")}. Leave it empty to keep it.`);
  }
  return texts.map(
    (text) =>
      text && (
        <p key={text} role="note" className="flex gap-2 rounded-md border border-warn/40 bg-warn/8 px-2 py-1.5 text-xs">
          <Icon name="alert" className="mt-px text-warn" />
          {text}
        </p>
      ),
  );
}

function Absences({ store, detail }: { store: StoreView; detail: ScheduleDetail }) {
  const own = Object.entries(detail.absent).filter(([name]) => store.actions.some((action) => action.name === name));
  const all = [...own, ...store.absent.map(({ name, reason }) => [name, reason] as const)];
  if (all.length === 0) return null;
  return (
    <ul className="text-xs text-ink-3">
      {all.map(([name, reason]) => (
        <li key={name}>
          {sentence(name)}: {reason}
        </li>
      ))}
    </ul>
  );
}
