import { useInfiniteQuery } from "@tanstack/react-query";
import { Page } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { type AuditFilter, auditListQuery } from "@/services/audit";
import { count } from "@/time/format";
import { AuditFilterBar } from "./audit-filter-bar";
import { AuditHead, AuditRow } from "./audit-row";
import { AuditVerify } from "./audit-verify";

interface AuditPageProps {
  filter: AuditFilter;
  onFilter: (next: AuditFilter) => void;
}

/** Who did what in the project, and the button that proves that nothing of it was changed. */
export function AuditPage({ filter, onFilter }: AuditPageProps) {
  const { project } = useProject();
  const query = useInfiniteQuery(auditListQuery(project, filter));
  const first = query.data?.pages[0];
  const rows = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Audit" fixed>
      <AuditVerify />
      <div className="flex shrink-0 flex-wrap items-center gap-2 px-3 py-2 sm:px-4">
        <AuditFilterBar filter={filter} onFilter={onFilter} />
        {first && (
          <span className="num ml-auto text-xs text-ink-3">
            {first.count_capped ? `${count(first.count)}+` : count(first.count)} rows
          </span>
        )}
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto border-t border-line bg-panel">
        {query.isPending && <Loading rows={12} />}
        {query.error && <Fault error={query.error} retry={() => void query.refetch()} />}
        {query.data && rows.length === 0 && (
          <Empty icon="audit" title="No row fits">
            Names and ids are compared letter by letter; an action may be its beginning, such as “command”.
          </Empty>
        )}
        {rows.length > 0 && (
          <div role="table" aria-label="Audit log">
            <div role="rowgroup" className="sticky top-0 z-10 bg-panel">
              <AuditHead />
            </div>
            <div role="rowgroup">
              {rows.map((entry) => (
                <AuditRow key={entry.number} entry={entry} />
              ))}
            </div>
          </div>
        )}
        {query.hasNextPage && (
          <div className="flex justify-center p-2">
            <Button size="sm" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {query.isFetchingNextPage ? "Loading …" : "Load more"}
            </Button>
          </div>
        )}
      </div>
    </Page>
  );
}
