import { Panel } from "@/components/ui/panel";
import type { TableView } from "@/services/instance";
import { bytes, count } from "@/time/format";

const MARKS = { exact: "", estimate: "≈ ", at_least: "≥ " };

/** The tables with their indexes, the largest first. */
export function TableSizes({ tables }: { tables: TableView[] }) {
  const sorted = [...tables].sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0) || b.rows - a.rows);
  return (
    <Panel title="Tables" aside={count(tables.length)}>
      <table className="w-full border-collapse" aria-label="Tables">
        <thead>
          <tr className="h-7 border-b border-line">
            <th scope="col" className="label px-3 text-left">
              Table
            </th>
            <th scope="col" className="label px-2 text-right">
              Rows
            </th>
            <th scope="col" className="label px-2 text-right">
              Size
            </th>
            <th scope="col" className="label px-3 text-right">
              Rows are kept
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((table) => (
            <tr key={table.name} className="h-7 border-b border-line/60 last:border-0">
              <td className="mono max-w-40 truncate px-3 text-xs" title={table.name}>
                {table.name}
              </td>
              <td className="num px-2 text-right whitespace-nowrap">
                {MARKS[table.accuracy]}
                {count(table.rows)}
              </td>
              <td className="num px-2 text-right whitespace-nowrap">{bytes(table.bytes)}</td>
              <td className="px-3 text-right text-ink-2">{kept(table.kept_days)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function kept(days: number | null): string {
  if (days === null) return "until removed";
  if (days === 0) return "until they run out";
  return days === 1 ? "1 day" : `${count(days)} days`;
}
