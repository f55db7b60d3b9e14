import { createFileRoute } from "@tanstack/react-router";
import { useCallback } from "react";
import { TasksPage } from "@/components/tasks/tasks-page";
import { validateTaskSearch } from "@/lib/url-state";

export const Route = createFileRoute("/p/$project/tasks/")({
  validateSearch: validateTaskSearch,
  component: Tasks,
});

function Tasks() {
  const { q = "" } = Route.useSearch();
  const navigate = Route.useNavigate();
  const onFilter = useCallback(
    (next: string) => void navigate({ search: next ? { q: next } : {}, replace: true }),
    [navigate],
  );
  return <TasksPage q={q} onFilter={onFilter} />;
}
