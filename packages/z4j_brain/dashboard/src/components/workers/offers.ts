import { byUse } from "@/components/actions/labels";
import type { ActionsAnswer, ActionView } from "@/services/actions";
import type { WorkerView } from "@/services/workers";

/** What can be asked of a worker's engines, the harmless first; tasks have their own page. */
export function actionsOf(
  worker: Pick<WorkerView, "engines">,
  answer: ActionsAnswer,
): { offered: ActionView[]; absent: ActionsAnswer["absent"] } {
  const engines = new Set(worker.engines.map(({ name }) => name));
  return {
    offered: answer.items
      .filter(({ engine, target }) => engines.has(engine) && target !== "task")
      .sort(byUse),
    absent: answer.absent.filter(({ engine }) => engines.has(engine)),
  };
}
