import type { QueryClient, QueryKey } from "@tanstack/react-query";
import type { List } from "@/services/http";
import { workerKeys, type WorkerView } from "@/services/workers";

/** Known workers in place, new ones behind them. */
export function mergeWorkers(known: readonly WorkerView[], changes: readonly WorkerView[]): WorkerView[] {
  const left = new Map(changes.map((worker) => [worker.id, worker]));
  const merged = known.map((worker) => {
    const change = left.get(worker.id);
    left.delete(worker.id);
    return change ?? worker;
  });
  return [...merged, ...left.values()];
}

/** Shows the new workers at once; returns what else of them to fetch. */
export function putWorkers(client: QueryClient, project: string, changes: WorkerView[]): QueryKey[] {
  if (changes.length === 0) return [];
  const list = workerKeys.list(project);
  const details = changes.map((worker) => workerKeys.detail(project, worker.id));
  // A list on its way may be older than this.
  if (client.isFetching({ queryKey: list })) return [list, ...details];
  client.setQueryData<List<WorkerView>>(list, (known) =>
    known ? { ...known, items: mergeWorkers(known.items, changes) } : known,
  );
  return details;
}
