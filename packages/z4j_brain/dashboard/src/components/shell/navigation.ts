import type { IconName } from "@/components/ui/icon";

export interface Place {
  to: "/p/$project" | "/p/$project/tasks" | "/p/$project/issues" | "/p/$project/names" | "/p/$project/queues" | "/p/$project/schedules" | "/p/$project/workers" | "/p/$project/commands" | "/p/$project/bulk" | "/p/$project/agents" | "/p/$project/people" | "/p/$project/keys" | "/p/$project/audit" | "/p/$project/redaction" | "/p/$project/settings" | "/p/$project/connect";
  label: string;
  icon: IconName;
  keys: string;
  /** Who lacks it is not led there. */
  permission?: string;
}

export const PLACES: readonly Place[] = [
  { to: "/p/$project", label: "Overview", icon: "overview", keys: "g o" },
  { to: "/p/$project/tasks", label: "Tasks", icon: "tasks", keys: "g t" },
  { to: "/p/$project/issues", label: "Issues", icon: "issues", keys: "g i" },
  { to: "/p/$project/names", label: "Task names", icon: "names", keys: "g m" },
  { to: "/p/$project/queues", label: "Queues", icon: "queues", keys: "g q" },
  { to: "/p/$project/schedules", label: "Schedules", icon: "schedules", keys: "g s", permission: "schedule.read" },
  { to: "/p/$project/workers", label: "Workers", icon: "workers", keys: "g w" },
  { to: "/p/$project/commands", label: "Commands", icon: "commands", keys: "g c" },
  { to: "/p/$project/bulk", label: "Bulk runs", icon: "bulk", keys: "g b" },
  { to: "/p/$project/agents", label: "Agents", icon: "agents", keys: "g a" },
  { to: "/p/$project/people", label: "People", icon: "people", keys: "g p" },
  { to: "/p/$project/keys", label: "Keys", icon: "keys", keys: "g k" },
  { to: "/p/$project/redaction", label: "Redaction", icon: "redaction", keys: "g r", permission: "project.manage" },
  { to: "/p/$project/audit", label: "Audit", icon: "audit", keys: "g l", permission: "audit.read" },
  { to: "/p/$project/settings", label: "Settings", icon: "settings", keys: "g ,", permission: "project.manage" },
];

export const CONNECT: Place = {
  to: "/p/$project/connect",
  label: "Connect",
  icon: "connect",
  keys: "g n",
};
