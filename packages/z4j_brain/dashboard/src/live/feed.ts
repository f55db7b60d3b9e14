import type { QueryClient } from "@tanstack/react-query";
import { socketUrl } from "@/lib/app-root";
import { agentKeys } from "@/services/agents";
import { commandKeys } from "@/services/commands";
import { issueKeys } from "@/services/issues";
import { sessionQuery } from "@/services/session";
import { type TaskDetail, type TaskSummary, taskKeys } from "@/services/tasks";
import { type Batch, Coalescer } from "./coalescer";
import { LiveConnection, type LinkStatus } from "./connection";
import { putWorkers } from "./merge";
import { Throttle } from "./throttle";

export interface FeedListener {
  batch?(batch: Batch): void;
  /** The list may have missed changes before `offset`. */
  refresh?(offset: number, first: boolean): void;
}

const KEPT_TASKS = 4_000;

/** The live feed of one project: keeps the query cache true, and tells whoever listens. */
export class LiveFeed {
  readonly #project: string;
  readonly #client: QueryClient;
  readonly #listeners = new Set<FeedListener>();
  readonly #statusListeners = new Set<() => void>();
  readonly #overview: Throttle;
  readonly #details: Throttle;
  readonly #commands: Throttle;
  readonly #issues: Throttle;
  #recent: { offset: number; tasks: TaskSummary[] }[] = [];
  #staleDetails = new Set<readonly string[]>();
  #status: LinkStatus = { state: "connecting", lagMs: null, heardAt: 0 };
  #connection: LiveConnection | null = null;

  constructor(project: string, client: QueryClient) {
    this.#project = project;
    this.#client = client;
    this.#overview = new Throttle(2_000, () => this.#invalidate(["overview", project]));
    this.#details = new Throttle(700, () => this.#refetchDetails());
    this.#issues = new Throttle(2_000, () => this.#invalidate(issueKeys.lists(project)));
    this.#commands = new Throttle(500, () => this.#invalidate(commandKeys.lists(project)));
  }

  start(): void {
    const coalescer = new Coalescer(onFrame, (batch) => this.#apply(batch));
    this.#connection = new LiveConnection(
      this.#project,
      () => new WebSocket(socketUrl("/ws/dashboard")),
      {
        changes: (changes) => coalescer.push(changes),
        refresh: (offset, first) => this.#refresh(offset, first),
        status: (status) => this.#setStatus(status),
      },
    );
    this.#connection.start();
  }

  stop(): void {
    this.#connection?.stop();
    this.#connection = null;
    for (const throttle of [this.#overview, this.#details, this.#commands, this.#issues]) throttle.stop();
  }

  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Task changes after `offset` that are still held, for a list that was just fetched. */
  tasksSince(offset: number): TaskSummary[] {
    return this.#recent.filter((batch) => batch.offset > offset).flatMap((batch) => batch.tasks);
  }

  readonly subscribeStatus = (listener: () => void): (() => void) => {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  };

  readonly status = (): LinkStatus => this.#status;

  #setStatus(status: LinkStatus): void {
    this.#status = status;
    for (const listener of this.#statusListeners) listener();
    if (status.state === "signed-out") void this.#client.refetchQueries(sessionQuery);
  }

  #apply(batch: Batch): void {
    this.#remember(batch);
    putWorkers(this.#client, this.#project, batch.workers);
    if (batch.commands.length) this.#commands.call();
    for (const command of batch.commands) {
      // Fetched, not put: the feed's JSON has rounded numbers that a result may need.
      this.#staleDetails.add(commandKeys.detail(this.#project, command.id));
    }
    if (batch.agents.length) this.#invalidate(agentKeys.list(this.#project));
    if (batch.issues.length) this.#issues.call();
    for (const issue of batch.issues) this.#staleDetails.add(issueKeys.detail(this.#project, issue));
    for (const task of batch.tasks) this.#touchTask(task);
    if (this.#staleDetails.size) this.#details.call();
    if (batch.tasks.length || batch.workers.length || batch.issues.length || batch.many) this.#overview.call();
    for (const listener of this.#listeners) listener.batch?.(batch);
  }

  /** Shows the new state at once and fetches the rest (attempts, result) soon. */
  #touchTask(task: TaskSummary): void {
    const key = taskKeys.detail(this.#project, task.engine, task.task_id);
    const known = this.#client.getQueryData<TaskDetail>(key);
    if (!known) return;
    if (task.updated_at > known.updated_at) {
      this.#client.setQueryData<TaskDetail>(key, { ...known, ...task, updated_at: known.updated_at });
    }
    this.#staleDetails.add(key);
    this.#staleDetails.add(taskKeys.events(this.#project, task.engine, task.task_id));
  }

  #refetchDetails(): void {
    const stale = this.#staleDetails;
    this.#staleDetails = new Set();
    for (const key of stale) this.#invalidate(key);
  }

  #remember(batch: Batch): void {
    if (batch.tasks.length) this.#recent.push({ offset: batch.offset, tasks: batch.tasks });
    let held = this.#recent.reduce((sum, each) => sum + each.tasks.length, 0);
    while (held > KEPT_TASKS && this.#recent.length > 1) {
      held -= this.#recent.shift()?.tasks.length ?? 0;
    }
  }

  #refresh(offset: number, first: boolean): void {
    if (!first) {
      this.#recent = [];
      void this.#client.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[1] === this.#project && queryKey[0] !== "tasks",
      });
    }
    for (const listener of this.#listeners) listener.refresh?.(offset, first);
  }

  #invalidate(queryKey: readonly string[]): void {
    void this.#client.invalidateQueries({ queryKey });
  }
}

/** Once a frame; a hidden page has no frames, and then once a second is enough. */
function onFrame(run: () => void): void {
  if (document.hidden) setTimeout(run, 1000);
  else requestAnimationFrame(run);
}
