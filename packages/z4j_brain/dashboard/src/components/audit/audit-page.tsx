import { useInfiniteQuery } from "@tanstack/react-query";
import { Page } from "@/components/shell/page";
import { Select } from "@/components/ui/input";
import { LoadMore } from "@/components/ui/load-more";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { type AuditFilter, type AuditPlace, auditListQuery } from "@/services/audit";
import { count } from "@/time/format";
import { AuditFilterBar } from "./audit-filter-bar";
import { AuditHead, AuditRow } from "./audit-row";
import { AuditVerify } from "./audit-verify";

interface AuditPageProps {
  filter: AuditFilter;
  onFilter: (next: AuditFilter) => void;
}

/** Who did what in the project, or to the server itself, and the button that proves that nothing of it was changed. */
export function AuditPage({ filter, onFilter }: AuditPageProps) {
  const { project, session } = useProject();
  const mayReadServer = session.user?.is_admin === true;
  const place: AuditPlace = filter.of === "server" && mayReadServer ? "server" : { project };
  const isFiltered = Boolean(filter.actor || filter.action || filter.object);
  const query = useInfiniteQuery(auditListQuery(place, filter));
  const first = query.data?.pages[0];
  const rows = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Audit" fixed>
      <AuditVerify key={place === "server" ? "server" : project} place={place} />
      <div className="flex shrink-0 flex-wrap items-center gap-2 px-3 py-2 sm:px-4">
        {mayReadServer && (
          <Select
            aria-label="Which log"
            className="w-full sm:w-44"
            value={filter.of ?? ""}
            onChange={(event) => onFilter({ ...filter, of: event.target.value === "server" ? "server" : undefined })}
          >
            <option value="">This project</option>
            <option value="server">The server itself</option>
          </Select>
        )}
        <AuditFilterBar key={filter.of ?? ""} filter={filter} onFilter={onFilter} />
        {first && (
          <span className="num ml-auto text-xs text-ink-3" data-testid="audit-count">
            {first.count_capped ? `${count(first.count)}+` : count(first.count)}{" "}
            {isFiltered ? "rows that fit; Verify looks at all rows" : "rows"}
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
        <LoadMore of={query} />
      </div>
    </Page>
  );
}
