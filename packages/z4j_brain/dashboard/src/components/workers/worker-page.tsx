import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { Page } from "@/components/shell/page";
import { Icon } from "@/components/ui/icon";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { useLive } from "@/live/provider";
import { Refetching } from "@/live/refetching";
import { ApiError } from "@/services/http";
import { workerKeys, workerQuery, type WorkerDetail } from "@/services/workers";
import { RunningTasks } from "./running-tasks";
import { WorkerActions } from "./worker-actions";
import { WorkerFacts } from "./worker-facts";
import { Presence } from "./worker-table";

const POLL_MS = 10_000;

export function WorkerPage({ id }: { id: string }) {
  const { project } = useProject();
  const query = useQuery({ ...workerQuery(project, id), refetchInterval: POLL_MS });
  const worker = query.data;
  useTasksOf(worker);
  const isMissing = query.error instanceof ApiError && [404, 422].includes(query.error.status);
  return (
    <Page title={worker?.worker_id ?? "Worker"} heading={<Path worker={worker} />}>
      {query.isPending && <Loading />}
      {isMissing && (
        <Empty icon="workers" title="There is no such worker">
          <Link to="/p/$project/workers" params={{ project }} className="text-accent underline underline-offset-2">
            See all workers
          </Link>
        </Empty>
      )}
      {query.error && !isMissing && <Fault error={query.error} retry={() => void query.refetch()} />}
      {worker && (
        <div className="grid items-start gap-3 p-3 lg:grid-cols-[minmax(0,1fr)_minmax(0,22rem)]">
          <div className="flex min-w-0 flex-col gap-3">
            <Complaints worker={worker} />
            <RunningTasks worker={worker} />
            <WorkerActions worker={worker} />
          </div>
          <WorkerFacts worker={worker} />
        </div>
      )}
    </Page>
  );
}

function Path({ worker }: { worker: WorkerDetail | undefined }) {
  const { project } = useProject();
  return (
    <span className="flex min-w-0 items-center gap-2">
      <Link to="/p/$project/workers" params={{ project }} className="text-ink-3 hover:text-ink">
        Workers
      </Link>
      <span className="text-ink-3">/</span>
      <span className="mono truncate">{worker?.worker_id ?? "…"}</span>
      {worker && (
        <span className="text-sm font-normal">
          <Presence worker={worker} />
        </span>
      )}
    </span>
  );
}

/** What the process itself says is wrong with its plugins. */
function Complaints({ worker }: { worker: WorkerDetail & { plugin_errors?: string[] } }) {
  const { plugin_errors: errors = [] } = worker;
  if (errors.length === 0) return null;
  return (
    <Panel title="Plugins that do not work">
      <ul className="px-3 py-2">
        {errors.map((error) => (
          <li key={error} className="flex items-start gap-2 break-words">
            <Icon name="alert" className="mt-0.5 text-bad" />
            <span className="min-w-0">{error}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** A task that starts or ends here changes what runs, before the worker's next heartbeat. */
function useTasksOf(worker: WorkerDetail | undefined): void {
  const { project } = useProject();
  const client = useQueryClient();
  const look = useMemo(() => new Refetching(client, 1_000), [client]);
  useEffect(() => () => look.stop(), [look]);
  useLive({
    batch: ({ tasks, many }) => {
      if (!worker) return;
      const isOurs = many || tasks.some((task) => task.worker === worker.worker_id);
      if (isOurs) look.call(workerKeys.detail(project, worker.id));
    },
  });
}
