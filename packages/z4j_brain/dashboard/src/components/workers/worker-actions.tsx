import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { ActionDialog } from "@/components/actions/action-dialog";
import { buttonOf, sentence } from "@/components/actions/labels";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Input } from "@/components/ui/input";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { actionsQuery, type ActionView } from "@/services/actions";
import type { CommandTarget } from "@/services/commands";
import { facetsQuery } from "@/services/facets";
import type { WorkerDetail } from "@/services/workers";
import { actionsOf } from "./offers";

interface Asked {
  action: ActionView;
  target: CommandTarget;
  object: string;
  confirmBy: string;
}

/** What this process can be asked for. The dialog outlives the process: whoever shuts it down is
 * told how that went. */
export function WorkerActions({ worker }: { worker: WorkerDetail }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  return (
    <Panel title="Actions">
      {worker.online ? (
        <Offers worker={worker} onAsk={setAsked} />
      ) : (
        <p className="px-3 py-3 text-ink-3">This process is gone and can be asked for nothing.</p>
      )}
      {asked && <ActionDialog {...asked} onClose={() => setAsked(null)} />}
    </Panel>
  );
}

/** It knows no engine: buttons, forms and reasons come from what the engines announce. */
function Offers({ worker, onAsk }: { worker: WorkerDetail; onAsk: (asked: Asked) => void }) {
  const { project, access } = useProject();
  const answer = useQuery(actionsQuery(project, worker.id));
  const { offered, absent } = answer.data ? actionsOf(worker, answer.data) : { offered: [], absent: [] };
  return (
    <>
      {answer.isPending && <Loading rows={3} />}
      {answer.error && <Fault error={answer.error} retry={() => void answer.refetch()} />}
      {answer.data && offered.length + absent.length === 0 && (
        <p className="px-3 py-3 text-ink-3">
          Its engines offer nothing beyond the actions on single tasks, which each task's page has.
        </p>
      )}
      <ul>
        {offered.map((action) => (
          <Offer
            key={`${action.engine} ${action.name}`}
            action={action}
            worker={worker}
            isAllowed={access.permissions.includes(action.permission)}
            onAsk={onAsk}
          />
        ))}
        {absent.map(({ engine, name, reason }) => (
          <li key={`${engine} ${name}`} className="flex items-baseline gap-3 border-b border-line/60 px-3 py-1.5 text-ink-3 last:border-b-0">
            <span className="w-36 shrink-0 truncate">{sentence(name)}</span>
            <span className="min-w-0 flex-1">{reason}</span>
            <span className="text-xs">{engine}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

interface OfferProps {
  action: ActionView;
  worker: WorkerDetail;
  isAllowed: boolean;
  onAsk: (asked: Asked) => void;
}

function Offer({ action, worker, isAllowed, onAsk }: OfferProps) {
  const { label, icon } = buttonOf(action);
  const [queue, setQueue] = useState("");
  const isReady = action.target !== "queue" || queue.trim() !== "";
  return (
    <li className="border-b border-line/60 px-3 py-2 last:border-b-0">
      <form
        className="flex flex-wrap items-center gap-x-3 gap-y-1.5"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && isAllowed) onAsk({ action, ...aimOf(action, worker, queue.trim()) });
        }}
      >
        <div className="min-w-48 flex-1">
          <p className="text-ink-2">{action.description || action.title}</p>
          <p className="text-xs text-ink-3">
            {action.engine} · acts on {placeOf(action)}
            {!isAllowed && ` · your role lacks the permission ${action.permission}`}
          </p>
        </div>
        {action.target === "queue" && <QueueInput engine={action.engine} value={queue} onChange={setQueue} />}
        <Button type="submit" variant={action.destructive ? "danger" : "outline"} disabled={!isReady || !isAllowed}>
          {icon && <Icon name={icon} className="size-3.5" />}
          {label}
        </Button>
      </form>
    </li>
  );
}

/** Any name may be typed: a queue that no task went through yet is in no list. */
function QueueInput({ engine, value, onChange }: { engine: string; value: string; onChange: (value: string) => void }) {
  const { project } = useProject();
  const facets = useQuery(facetsQuery(project)).data;
  const list = useId();
  return (
    <>
      <Input
        aria-label="Queue"
        placeholder="queue"
        list={list}
        maxLength={255}
        autoComplete="off"
        className="mono w-40"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <datalist id={list}>
        {facets?.queues
          .filter((each) => each.engine === engine)
          .map(({ queue }) => <option key={queue} value={queue} />)}
      </datalist>
    </>
  );
}

function placeOf({ target, engine }: ActionView): string {
  if (target === "queue") return "a queue";
  return target === "worker" ? "this worker" : `${engine} in this worker`;
}

/** `id` names this very incarnation, so a restarted process never gets what was meant for it. */
function aimOf(action: ActionView, worker: WorkerDetail, queue: string): Omit<Asked, "action"> {
  const aim = { worker_id: worker.id };
  switch (action.target) {
    case "queue":
      return { target: { ...aim, queue }, object: `queue ${queue}`, confirmBy: queue };
    case "worker":
      return { target: aim, object: `worker ${worker.worker_id}`, confirmBy: worker.worker_id };
    default:
      return {
        target: aim,
        object: `${action.engine} in ${worker.worker_id}`,
        confirmBy: action.engine,
      };
  }
}
