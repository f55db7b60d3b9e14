import { queryOptions } from "@tanstack/react-query";
import { request, requestAll } from "./http";
import type { TaskSummary } from "./tasks";

export interface WorkerView {
  id: string;
  worker_id: string;
  epoch: string | number;
  agent: { id: string; name: string };
  host: string;
  pid: number;
  role: string;
  framework: string | null;
  engines: { name: string; version: string }[];
  agent_version: string | null;
  python_version: string | null;
  online: boolean;
  first_seen: string;
  last_seen: string;
  ended_at: string | null;
  lag_ms: number | null;
  outbox_events: number | null;
  dropped: number | null;
  cpu_percent: number | null;
  rss_bytes: number | null;
  clock_offset_ms: number | null;
  running: number;
  processed: number;
}

export interface WorkerDetail extends WorkerView {
  /** The tasks that it runs now; `running` is a list here and a count in the list. */
  running_tasks: TaskSummary[];
  plugin_errors?: string[];
}

type WorkerAnswer = Omit<WorkerView, "running"> & { running: TaskSummary[] | number; plugin_errors?: string[] };

export const workerKeys = {
  list: (project: string) => ["workers", project] as const,
  detail: (project: string, id: string) => ["worker", project, id] as const,
};

export function workersQuery(project: string) {
  return queryOptions({
    queryKey: workerKeys.list(project),
    queryFn: ({ signal }) => requestAll<WorkerView>(`/projects/${encodeURIComponent(project)}/workers`, signal),
    staleTime: 5_000,
  });
}

export function workerQuery(project: string, id: string) {
  return queryOptions({
    queryKey: workerKeys.detail(project, id),
    queryFn: async ({ signal }): Promise<WorkerDetail> => {
      const answer = await request<WorkerAnswer>(
        `/projects/${encodeURIComponent(project)}/workers/${encodeURIComponent(id)}`,
        { signal },
      );
      const tasks = Array.isArray(answer.running) ? answer.running : [];
      const running = Array.isArray(answer.running) ? tasks.length : answer.running;
      return { ...answer, running, running_tasks: tasks };
    },
    staleTime: 2_000,
  });
}
