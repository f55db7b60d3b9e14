import type { CommandView } from "@/services/commands";
import type { TaskSummary } from "@/services/tasks";
import type { WorkerView } from "@/services/workers";

export const TOPICS = ["tasks", "workers", "commands", "agents", "issues", "schedules", "bulk_runs", "overview"] as const;

export interface Changes {
  type: "changes";
  offset: number;
  tasks?: TaskSummary[];
  workers?: WorkerView[];
  commands?: CommandView[];
  agents?: string[];
  issues?: string[];
  /** The ids of schedules, or "" for a store of them. */
  schedules?: string[];
  bulk_runs?: string[];
  /** More tasks changed than were sent: look again. */
  many?: boolean;
}

export type ServerMessage =
  | { type: "ready"; offset: number; lag_ms: number | null }
  | { type: "tick"; offset: number; now: string; lag_ms: number | null }
  | { type: "reset"; offset: number }
  | Changes;

const TYPES = new Set(["ready", "tick", "reset", "changes"]);

/** Null for what this version does not know, so that a newer server does no harm. */
export function readMessage(text: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object") return null;
  const { type, offset } = value as { type?: unknown; offset?: unknown };
  if (typeof type !== "string" || !TYPES.has(type) || typeof offset !== "number") return null;
  return value as ServerMessage;
}
