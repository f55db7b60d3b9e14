import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useProject } from "@/hooks/use-project";
import { useLive } from "@/live/provider";
import { Refetching } from "@/live/refetching";
import { agentKeys, agentsQuery, type AgentView } from "@/services/agents";
import { workerKeys, workersQuery } from "@/services/workers";
import { firstTaskQuery, ownNames } from "./first-task";

/** The net below the live feed. */
const POLL_MS = 4_000;

/** One agent in its newest form: asked again when the feed tells of agents, workers or tasks,
 * until its first task is there. */
export function useFollowedAgent(agent: AgentView): AgentView {
  const { project } = useProject();
  const client = useQueryClient();
  const find = (agents: readonly AgentView[] | undefined) => agents?.find(({ id }) => id === agent.id);
  const list = useQuery({
    ...agentsQuery(project),
    refetchInterval: ({ state }) => (isThere(find(state.data?.items)) ? false : POLL_MS),
  });
  const told = find(list.data?.items) ?? agent;
  const isSought = told.workers_online > 0 && told.first_task === null;
  const workers = useQuery({ ...workersQuery(project), enabled: isSought });
  const names = ownNames(workers.data?.items ?? [], agent.id);
  const found = useQuery({
    ...firstTaskQuery(project, agent, names),
    enabled: isSought && names.length > 0,
    refetchInterval: ({ state }) => (state.data ? false : POLL_MS),
  });
  const followed = { ...told, first_task: told.first_task ?? found.data ?? null };
  const look = useMemo(() => new Refetching(client, 500), [client]);
  useEffect(() => () => look.stop(), [look]);
  const known = [agentKeys.list(project), workerKeys.list(project), ["first-task", project]];
  useLive({
    batch: (batch) => {
      const isOurs = batch.workers.some((worker) => worker.agent.id === agent.id);
      if (isOurs || (!isThere(followed) && (batch.tasks.length > 0 || batch.many))) look.call(...known);
    },
  });
  return followed;
}

const isThere = (agent: AgentView | undefined): boolean =>
  agent !== undefined && agent.first_task !== null && agent.workers_online > 0;
