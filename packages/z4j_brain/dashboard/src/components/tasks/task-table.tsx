import { useNavigate } from "@tanstack/react-router";
import { type Row, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Ago } from "@/components/time";
import { StateBadge } from "@/components/ui/state-badge";
import { useProject } from "@/hooks/use-project";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { cn } from "@/lib/cn";
import { taskKey } from "@/live/coalescer";
import type { TaskSummary } from "@/services/tasks";
import { RIGHT, Run, TASK_GRID, taskColumns, taskFeatures, TaskName } from "./columns";

interface TaskTableProps {
  rows: TaskSummary[];
  scroller: RefObject<HTMLDivElement | null>;
  hasArrived: (task: TaskSummary) => boolean;
  onEnd: () => void;
}

const ROW = 28;
const NARROW_ROW = 52;

/** A virtual list in a grid of roles; a row opens by click, Enter, or j, k and Enter. */
export function TaskTable({ rows, scroller, hasArrived, onEnd }: TaskTableProps) {
  const narrow = useNarrow();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? NARROW_ROW : ROW),
    overscan: 12,
    getItemKey: (index) => (rows[index] ? taskKey(rows[index]) : index),
  });
  useEffect(() => virtual.measure(), [narrow, virtual]);
  const open = useOpenTask();
  const selected = useRowKeys(rows, (index) => virtual.scrollToIndex(index, { align: "auto" }), open);
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const past = (items.at(-1)?.index ?? -1) + 1;
  // The table sees only the rows in view: a row model of the whole list, made anew ten times a
  // second while tasks arrive, is what would cost the frames.
  const data = useMemo(() => rows.slice(first, past), [rows, first, past]);
  const table = useTable({ features: taskFeatures, columns: taskColumns, data, getRowId: taskKey });
  const model = table.getRowModel().rows;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 30) onEnd();
  }, [last, onEnd, rows.length]);
  return (
    <div role="table" aria-label="Tasks" aria-rowcount={rows.length}>
      <div role="rowgroup" className="sticky top-0 z-10 hidden border-b border-line bg-panel sm:block">
        {table.getHeaderGroups().map((group) => (
          <div key={group.id} role="row" className={cn(TASK_GRID, "h-7 px-4")}>
            {group.headers.map((header) => (
              <div
                key={header.id}
                role="columnheader"
                className={cn("label truncate", RIGHT.has(header.column.id) && "text-right")}
              >
                <table.FlexRender header={header} />
              </div>
            ))}
          </div>
        ))}
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = model[item.index - first];
          if (!row) return null;
          return (
            <div
              key={item.key}
              role="row"
              tabIndex={0}
              aria-rowindex={item.index + 1}
              data-task-id={row.original.task_id}
              data-state={row.original.state}
              data-selected={item.index === selected}
              onClick={() => open(row.original)}
              onKeyDown={(event) => {
                if (event.key === "Enter") open(row.original);
              }}
              className={cn(
                "absolute inset-x-0 top-0 cursor-pointer border-b border-line/60 px-4 hover:bg-hover data-[selected=true]:bg-selected",
                "focus-visible:-outline-offset-2",
                TASK_GRID,
                hasArrived(row.original) && "row-arrived",
              )}
              style={{ height: item.size, transform: `translateY(${item.start}px)` }}
            >
              {narrow ? <NarrowRow task={row.original} /> : <Cells row={row} flex={table.FlexRender} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

type TaskRow = Row<typeof taskFeatures, TaskSummary>;
type Flex = ReturnType<typeof useTable<typeof taskFeatures, TaskSummary>>["FlexRender"];

function Cells({ row, flex: FlexRender }: { row: TaskRow; flex: Flex }) {
  return row.getAllCells().map((cell) => (
    <div key={cell.id} role="cell" className={cn("min-w-0", RIGHT.has(cell.column.id) && "text-right")}>
      <FlexRender cell={cell} />
    </div>
  ));
}

/** Two lines on a phone: nothing that the wide table tells is left out but the try. */
function NarrowRow({ task }: { task: TaskSummary }) {
  return (
    <div role="cell" className="flex h-full flex-col justify-center">
      <div className="flex items-center gap-2">
        <div className="min-w-0 flex-1">
          <TaskName task={task} />
        </div>
        <Ago at={task.first_at} className="text-xs text-ink-3" />
      </div>
      <div className="flex items-center gap-2 text-xs text-ink-3">
        <StateBadge state={task.state} />
        <span className="min-w-0 flex-1 truncate">
          {[task.queue, task.worker].filter(Boolean).join(" · ")}
        </span>
        <Run task={task} />
      </div>
    </div>
  );
}

export function useOpenTask(): (task: { engine: string; task_id: string }) => void {
  const navigate = useNavigate();
  const { project } = useProject();
  return ({ engine, task_id: taskId }) =>
    void navigate({ to: "/p/$project/tasks/$engine/$taskId", params: { project, engine, taskId } });
}

/** The row that j and k move to; it follows its task when rows come in above it. */
function useRowKeys(
  rows: TaskSummary[],
  show: (index: number) => void,
  open: (task: TaskSummary) => void,
): number {
  const [key, setKey] = useState<string | null>(null);
  const at = useRef(-1);
  const found = key === null ? -1 : rows.findIndex((task) => taskKey(task) === key);
  at.current = found;
  const go = (step: number) => {
    const index = Math.max(0, Math.min(rows.length - 1, at.current + step));
    const task = rows[index];
    if (!task) return;
    setKey(taskKey(task));
    show(index);
  };
  useShortcuts({
    j: () => go(1),
    k: () => go(-1),
    enter: () => {
      const task = rows[at.current];
      if (task) open(task);
    },
  });
  return found;
}

const WIDE = "(min-width: 640px)";

function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = window.matchMedia(WIDE);
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => !window.matchMedia(WIDE).matches,
    () => false,
  );
}
