import type { CommandView } from "@/services/commands";
import type { TaskSummary } from "@/services/tasks";
import type { WorkerView } from "@/services/workers";
import type { Changes } from "./messages";

export interface Batch {
  offset: number;
  tasks: TaskSummary[];
  workers: WorkerView[];
  commands: CommandView[];
  agents: string[];
  issues: string[];
  schedules: string[];
  bulkRuns: string[];
  many: boolean;
}

export const taskKey = (task: { engine: string; task_id: string }): string =>
  `${task.engine}\u0000${task.task_id}`;

/** Collects changes and hands them over once a frame, each object once, in its newest form.
 * `schedule` is requestAnimationFrame in the browser. */
export class Coalescer {
  readonly #schedule: (run: () => void) => void;
  readonly #deliver: (batch: Batch) => void;
  readonly #tasks = new Map<string, TaskSummary>();
  readonly #workers = new Map<string, WorkerView>();
  readonly #commands = new Map<string, CommandView>();
  readonly #agents = new Set<string>();
  readonly #issues = new Set<string>();
  readonly #schedules = new Set<string>();
  readonly #bulkRuns = new Set<string>();
  #offset = 0;
  #many = false;
  #isScheduled = false;

  constructor(schedule: (run: () => void) => void, deliver: (batch: Batch) => void) {
    this.#schedule = schedule;
    this.#deliver = deliver;
  }

  push(changes: Changes): void {
    this.#offset = Math.max(this.#offset, changes.offset);
    this.#many ||= changes.many === true;
    for (const task of changes.tasks ?? []) {
      // A task that changed again moves to the end, so the batch keeps the order of changes.
      const key = taskKey(task);
      this.#tasks.delete(key);
      this.#tasks.set(key, task);
    }
    for (const worker of changes.workers ?? []) this.#workers.set(worker.id, worker);
    for (const command of changes.commands ?? []) this.#commands.set(command.id, command);
    for (const agent of changes.agents ?? []) this.#agents.add(agent);
    for (const issue of changes.issues ?? []) this.#issues.add(issue);
    for (const schedule of changes.schedules ?? []) this.#schedules.add(schedule);
    for (const run of changes.bulk_runs ?? []) this.#bulkRuns.add(run);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const batch: Batch = {
      offset: this.#offset,
      tasks: [...this.#tasks.values()],
      workers: [...this.#workers.values()],
      commands: [...this.#commands.values()],
      agents: [...this.#agents],
      issues: [...this.#issues],
      schedules: [...this.#schedules],
      bulkRuns: [...this.#bulkRuns],
      many: this.#many,
    };
    this.#tasks.clear();
    this.#workers.clear();
    this.#commands.clear();
    this.#agents.clear();
    this.#issues.clear();
    this.#schedules.clear();
    this.#bulkRuns.clear();
    this.#many = false;
    this.#deliver(batch);
  }
}
