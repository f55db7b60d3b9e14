import { createFileRoute } from "@tanstack/react-router";
import { useCallback } from "react";
import { IssuesPage } from "@/components/issues/issues-page";
import { validateIssueSearch } from "@/lib/url-state";

export const Route = createFileRoute("/p/$project/issues/")({
  validateSearch: validateIssueSearch,
  component: Issues,
});

function Issues() {
  const { q = "", state = "open" } = Route.useSearch();
  const navigate = Route.useNavigate();
  const onSearch = useCallback(
    (next: string) =>
      void navigate({ search: (now) => ({ ...now, q: next || undefined }), replace: true }),
    [navigate],
  );
  return <IssuesPage state={state} q={q} onSearch={onSearch} />;
}
