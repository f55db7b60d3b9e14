import { useNavigate } from "@tanstack/react-router";
import { quoteValue } from "@/filter/language";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { Group, Range } from "@/services/series";
import { count, duration, percent } from "@/time/format";
import { type Column, failureRate, type Order } from "./sorting";

const HEADS: readonly { by: Column; text: string; className: string }[] = [
  { by: "name", text: "Name", className: "text-left" },
  { by: "ended", text: "Ended", className: "" },
  { by: "failed", text: "Failed", className: "" },
  { by: "rate", text: "Failure rate", className: "hidden sm:table-cell" },
  { by: "wait50", text: "Wait p50", className: "hidden lg:table-cell" },
  { by: "wait95", text: "Wait p95", className: "hidden md:table-cell" },
  { by: "run50", text: "Run p50", className: "hidden md:table-cell" },
  { by: "run95", text: "Run p95", className: "" },
];

interface NameTableProps {
  groups: Group[];
  others: number;
  order: Order;
  onOrder: (by: Column) => void;
  since: Range;
}

export function NameTable({ groups, others, order, onOrder, since }: NameTableProps) {
  return (
    <table className="w-full border-collapse text-right" data-testid="names">
      <thead>
        <tr className="h-7 border-b border-line">
          {HEADS.map(({ by, text, className }) => {
            const isChosen = order.by === by;
            const direction = order.isDescending ? "descending" : "ascending";
            return (
              <th
                key={by}
                scope="col"
                aria-sort={isChosen ? direction : "none"}
                className={cn("label px-2 whitespace-nowrap first:pl-3 last:pr-3", className)}
              >
                <button type="button" onClick={() => onOrder(by)} className={cn("hover:text-ink", isChosen && "text-ink")}>
                  {text}
                  {isChosen && <span aria-hidden="true">{order.isDescending ? " ↓" : " ↑"}</span>}
                </button>
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody>
        {groups.map((group) =>
          group.other ? (
            <Line key="others" group={group} label={`${count(others)} more`} />
          ) : (
            <NameLine key={`${group.engine}/${group.name}`} group={group} since={since} />
          ),
        )}
      </tbody>
    </table>
  );
}

function NameLine({ group, since }: { group: Group; since: Range }) {
  const { project } = useProject();
  const navigate = useNavigate();
  const open = group.name
    ? () =>
        void navigate({
          to: "/p/$project/tasks",
          params: { project },
          search: { q: `name:${quoteValue(group.name ?? "")} since:${since}` },
        })
    : undefined;
  return <Line group={group} label={group.name || "no name"} open={open} />;
}

function Line({ group, label, open }: { group: Group; label: string; open?: () => void }) {
  const { wait_ms: wait, run_ms: run, succeeded, failed } = group.total;
  const rate = failureRate(group);
  const figure = "num px-2 last:pr-3";
  const dim = "num hidden px-2 text-ink-2";
  return (
    <tr
      tabIndex={open ? 0 : undefined}
      data-name={group.name}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key === "Enter") open?.();
      }}
      className={cn(
        "h-7 border-b border-line/60 last:border-0 focus-visible:-outline-offset-2",
        open ? "cursor-pointer hover:bg-hover" : "text-ink-3",
      )}
    >
      <td className="max-w-36 truncate pr-2 pl-3 text-left sm:w-[40%] sm:max-w-0" title={`${group.engine ?? ""} · ${label}`}>
        <span className={cn(group.name && "mono")}>{label}</span>{" "}
        <span className="text-xs text-ink-3">{group.engine}</span>
      </td>
      <td className={figure}>{count(group.ended)}</td>
      <td className={cn(figure, failed > 0 && "text-bad")}>{count(failed)}</td>
      <td className={cn("hidden px-2 sm:table-cell", rate > 0 && "text-bad")}>
        <span className="flex items-center justify-end gap-2">
          <span aria-hidden="true" className="hidden h-1 w-14 overflow-hidden rounded-full bg-sunken lg:block">
            <span className="block h-full bg-(--fill-failed)" style={{ width: `${Math.max(0, rate) * 100}%` }} />
          </span>
          <span className="num w-10">{percent(failed, succeeded + failed)}</span>
        </span>
      </td>
      <td className={cn(dim, "lg:table-cell")}>{duration(wait?.p50)}</td>
      <td className={cn(dim, "md:table-cell")}>{duration(wait?.p95)}</td>
      <td className={cn(dim, "md:table-cell")}>{duration(run?.p50)}</td>
      <td className={figure}>{duration(run?.p95)}</td>
    </tr>
  );
}
