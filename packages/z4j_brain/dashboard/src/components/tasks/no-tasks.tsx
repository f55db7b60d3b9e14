import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button, buttonVariants } from "@/components/ui/button";
import { Empty } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { agentsQuery } from "@/services/agents";

/** Nothing to show has three reasons, and each has one next step. */
export function NoTasks({ q, onFilter }: { q: string; onFilter: (q: string) => void }) {
  const { project } = useProject();
  const agents = useQuery({ ...agentsQuery(project), enabled: q === "" });
  if (q) {
    return (
      <Empty icon="search" title="No task fits this filter">
        <p className="mb-2">
          <code>{q}</code>
        </p>
        <Button onClick={() => onFilter("")}>Clear the filter</Button>
      </Empty>
    );
  }
  if (agents.data && agents.data.items.some((agent) => agent.workers_online > 0)) {
    return (
      <Empty icon="tasks" title="No task yet">
        A worker is connected. Start any task in your application, and it appears here by itself.
      </Empty>
    );
  }
  return (
    <Empty icon="connect" title="No worker is connected yet">
      <p className="mb-2">Give your application a token, and its tasks appear here by themselves.</p>
      <Link to="/p/$project/connect" params={{ project }} className={buttonVariants({ variant: "primary" })}>
        Connect an application
      </Link>
    </Empty>
  );
}
