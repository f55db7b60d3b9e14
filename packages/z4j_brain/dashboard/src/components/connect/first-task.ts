import { queryOptions } from "@tanstack/react-query";
import { withValues } from "@/filter/language";
import type { AgentView } from "@/services/agents";
import { type List, query, request } from "@/services/http";
import type { TaskSummary } from "@/services/tasks";
import type { WorkerView } from "@/services/workers";

/** Names of an agent's processes that no other agent's process has: only these prove whose a
 * task is. */
export function ownNames(workers: readonly WorkerView[], agentId: string): string[] {
  const others = new Set(workers.filter(({ agent }) => agent.id !== agentId).map(({ worker_id }) => worker_id));
  const own = workers.filter(({ agent, worker_id }) => agent.id === agentId && !others.has(worker_id));
  return [...new Set(own.map(({ worker_id }) => worker_id))].sort();
}

/** The agent's own `first_task` is looked for among few tasks, which a busy project fills with
 * those of others; this asks by the names of its processes. */
export function firstTaskQuery(project: string, agent: AgentView, names: string[]) {
  const since = agent.created_at.slice(0, 16);
  const q = withValues(withValues("", "worker", names.slice(0, 20)), "since", [since]);
  const path = `/projects/${encodeURIComponent(project)}/tasks`;
  return queryOptions({
    queryKey: ["first-task", project, agent.id, ...names],
    queryFn: async ({ signal }): Promise<AgentView["first_task"]> => {
      const page = await request<List<TaskSummary>>(`${path}${query({ q, limit: 50 })}`, { signal });
      const oldest = page.items.at(-1);
      return oldest ? { engine: oldest.engine, task_id: oldest.task_id } : null;
    },
  });
}
