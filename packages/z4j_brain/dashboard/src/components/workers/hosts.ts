import type { WorkerView } from "@/services/workers";

export interface HostGroup {
  host: string;
  workers: WorkerView[];
}

export interface Hosts {
  /** Hosts with a process that is online, or that left tasks behind. */
  hosts: HostGroup[];
  /** What stopped, the last one first. */
  gone: WorkerView[];
}

/** Processes by host: inside a host those online first, then by name; hosts by name. A process
 * that went while tasks ran in it stays in sight until they are accounted for. */
export function byHost(workers: readonly WorkerView[]): Hosts {
  const isGone = (worker: WorkerView) => !worker.online && worker.running === 0;
  const groups = new Map<string, WorkerView[]>();
  for (const worker of workers.filter((each) => !isGone(each))) {
    groups.set(worker.host, [...(groups.get(worker.host) ?? []), worker]);
  }
  return {
    hosts: [...groups]
      .map(([host, members]) => ({ host, workers: members.sort(inHost) }))
      .sort((one, other) => byText(one.host, other.host)),
    gone: workers.filter(isGone).sort((one, other) => byText(other.last_seen, one.last_seen)),
  };
}

/** The rows as they stand on the page, for j and k. */
export function rowsOf({ hosts, gone }: Hosts, isUnfolded: boolean): WorkerView[] {
  return [...hosts.flatMap(({ workers }) => workers), ...(isUnfolded ? gone : [])];
}

function inHost(one: WorkerView, other: WorkerView): number {
  return Number(other.online) - Number(one.online) || byText(one.worker_id, other.worker_id) || one.pid - other.pid;
}

/** As the machine orders text: names with figures, such as w2 and w10, by their figures. */
function byText(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
