import type { QueryClient } from "@tanstack/react-query";
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

export function putWorkers(client: QueryClient, project: string, changes: WorkerView[]): void {
  if (changes.length === 0) return;
  client.setQueryData<List<WorkerView>>(workerKeys.list(project), (list) =>
    list ? { ...list, items: mergeWorkers(list.items, changes) } : list,
  );
  for (const worker of changes) {
    void client.invalidateQueries({ queryKey: workerKeys.detail(project, worker.id) });
  }
}
