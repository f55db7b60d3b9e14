import type { AgentView } from "@/services/agents";
import { count } from "@/time/format";

export type StepState = "done" | "now" | "later";

/** A first task counts even when its worker has gone since. */
export function stepsOf(agent: AgentView): { agent: StepState; task: StepState } {
  const isOnline = agent.workers_online > 0;
  const hasTask = agent.first_task !== null;
  return {
    agent: isOnline ? "done" : "now",
    task: hasTask ? "done" : isOnline ? "now" : "later",
  };
}

export function onlineText(agent: AgentView): string {
  const { workers_online: online, tokens } = agent;
  const used = tokens.filter(({ last_address }) => last_address).sort(lastUsed)[0];
  const processes = `${count(online)} ${online === 1 ? "process" : "processes"} online`;
  return used ? `${processes}, from ${used.last_address}.` : `${processes}.`;
}

function lastUsed(one: AgentView["tokens"][number], other: AgentView["tokens"][number]): number {
  return (other.last_used_at ?? "").localeCompare(one.last_used_at ?? "");
}
