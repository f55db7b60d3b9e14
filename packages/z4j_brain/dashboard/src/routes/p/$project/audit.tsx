import { createFileRoute } from "@tanstack/react-router";
import { useCallback } from "react";
import { AuditPage } from "@/components/audit/audit-page";
import { validateAuditSearch } from "@/lib/url-state";
import type { AuditFilter } from "@/services/audit";

export const Route = createFileRoute("/p/$project/audit")({
  validateSearch: validateAuditSearch,
  component: Audit,
});

function Audit() {
  const filter = Route.useSearch();
  const navigate = Route.useNavigate();
  const onFilter = useCallback(
    (next: AuditFilter) => void navigate({ search: next, replace: true }),
    [navigate],
  );
  return <AuditPage filter={filter} onFilter={onFilter} />;
}
