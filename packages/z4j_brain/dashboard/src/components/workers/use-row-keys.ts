import { useState } from "react";
import { useShortcuts } from "@/hooks/use-shortcuts";

/** The row that j and k move to, by its id; it stays chosen when rows come and go around it. */
export function useRowKeys<T extends { id: string }>(rows: readonly T[], open: (row: T) => void): string | null {
  const [chosen, setChosen] = useState<string | null>(null);
  const at = rows.findIndex(({ id }) => id === chosen);
  const go = (step: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    if (!row) return;
    setChosen(row.id);
    document.querySelector(`[data-row="${CSS.escape(row.id)}"]`)?.scrollIntoView({ block: "nearest" });
  };
  useShortcuts({
    j: () => go(1),
    k: () => go(-1),
    enter: () => {
      const row = rows[at];
      // A control in focus has its own meaning of Enter.
      const isFree = !document.activeElement?.matches("button, a, [data-row], summary");
      if (row && isFree) open(row);
    },
  });
  return at < 0 ? null : chosen;
}
