import type { Group } from "@/services/series";

export const COLUMNS = ["name", "ended", "failed", "rate", "wait50", "wait95", "run50", "run95"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  by: Column;
  isDescending: boolean;
}

/** Share of the tasks that failed among those that succeeded or failed; -1 where none did. */
export const failureRate = ({ total }: Group): number =>
  total.succeeded + total.failed === 0 ? -1 : total.failed / (total.succeeded + total.failed);

const VALUES: Record<Exclude<Column, "name">, (group: Group) => number> = {
  ended: (group) => group.ended,
  failed: (group) => group.total.failed,
  rate: failureRate,
  wait50: (group) => group.total.wait_ms?.p50 ?? -1,
  wait95: (group) => group.total.wait_ms?.p95 ?? -1,
  run50: (group) => group.total.run_ms?.p50 ?? -1,
  run95: (group) => group.total.run_ms?.p95 ?? -1,
};

/** The groups in this order; what is the same in it goes by name, and all others come last. */
export function sorted(groups: readonly Group[], { by, isDescending }: Order): Group[] {
  const byName = (a: Group, b: Group) => (a.name ?? "").localeCompare(b.name ?? "");
  const compare = by === "name" ? byName : (a: Group, b: Group) => VALUES[by](a) - VALUES[by](b) || -byName(a, b);
  const direction = isDescending ? -1 : 1;
  return [...groups].sort((a, b) => Number(a.other) - Number(b.other) || direction * compare(a, b));
}

/** A second click turns the order round; names begin at A, figures with the greatest. */
export function nextOrder(order: Order, by: Column): Order {
  return order.by === by ? { by, isDescending: !order.isDescending } : { by, isDescending: by !== "name" };
}
