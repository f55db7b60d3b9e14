import { useCallback, useRef, useState } from "react";
import { BulkButton } from "@/components/bulk/bulk-button";
import { Page } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { LoadMore } from "@/components/ui/load-more";
import { Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { ApiError } from "@/services/http";
import { cappedCount, count } from "@/time/format";
import { Chips } from "./chips";
import { FilterBar } from "./filter-bar";
import { NoTasks } from "./no-tasks";
import { TaskTable } from "./task-table";
import { useTaskList } from "./use-task-list";

interface TasksPageProps {
  q: string;
  onFilter: (q: string) => void;
}

export function TasksPage({ q, onFilter }: TasksPageProps) {
  const { project } = useProject();
  const scroller = useRef<HTMLDivElement>(null);
  const [atTop, setAtTop] = useState(true);
  const [paused, setPaused] = useState(false);
  const list = useTaskList({ project, q, paused, atTop });
  const { query } = list;
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  const toggle = () => {
    if (paused) list.showHeld();
    setPaused(!paused);
  };
  useShortcuts({ p: toggle });
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);
  const refused = query.error instanceof ApiError && query.error.status === 422 ? query.error : null;
  const total = list.first ? cappedCount(list.first.count, list.first.count_capped) : "";
  return (
    <Page title="Tasks" fixed>
      <div className="flex shrink-0 items-start gap-2 px-3 pt-2 pb-2 sm:px-4">
        <FilterBar value={q} onChange={onFilter} fault={refused ? faultText(refused) : null} />
        <span data-testid="task-count" className="num hidden h-7 items-center text-xs text-ink-3 sm:flex">
          {total && `${total} ${total === "1" ? "task" : "tasks"}`}
        </span>
        {list.rows.length > 0 && <BulkButton q={q} total={total} />}
        <Button
          aria-pressed={paused}
          onClick={toggle}
          title="Pause or go on (p)"
          className={paused ? "border-warn text-warn" : undefined}
        >
          <Icon name={paused ? "play" : "pause"} className="size-3.5" />
          {paused ? "Go on" : "Pause"}
        </Button>
      </div>
      <Chips q={q} onChange={onFilter} />
      <div className="relative min-h-0 flex-1 border-t border-line bg-panel">
        {list.heldCount > 0 && (
          <NewPill
            heldCount={list.heldCount}
            onClick={() => {
              list.showHeld();
              scroller.current?.scrollTo({ top: 0 });
            }}
          />
        )}
        <div
          ref={scroller}
          data-testid="task-scroller"
          className="h-full overflow-y-auto"
          onScroll={(event) => setAtTop(event.currentTarget.scrollTop < 8)}
        >
          {query.isPending && <Loading rows={20} />}
          {query.error && !refused && <Fault error={query.error} retry={() => void query.refetch()} />}
          {query.data && list.rows.length === 0 && <NoTasks q={q} onFilter={onFilter} />}
          {list.rows.length > 0 && (
            <TaskTable rows={list.rows} scroller={scroller} hasArrived={list.hasArrived} onEnd={onEnd} />
          )}
          <LoadMore of={query} />
        </div>
      </div>
    </Page>
  );
}

function faultText(error: ApiError): string {
  return error.problem.errors?.map(({ detail }) => detail).join(" ") || error.message;
}

function NewPill({ heldCount, onClick }: { heldCount: number; onClick: () => void }) {
  return (
    <button
      type="button"
      data-testid="new-tasks"
      onClick={onClick}
      className="num absolute top-9 left-1/2 z-20 -translate-x-1/2 rounded-full bg-accent px-3 py-0.5 text-xs font-medium text-on-accent shadow-high hover:brightness-110"
    >
      {count(heldCount)} new
    </button>
  );
}
