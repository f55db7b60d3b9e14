import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { socketUrl } from "@/lib/app-root";
import { agentKeys } from "@/services/agents";
import { bulkKeys } from "@/services/bulk-runs";
import { commandKeys } from "@/services/commands";
import { issueKeys } from "@/services/issues";
import { scheduleKeys } from "@/services/schedules";
import { sessionQuery } from "@/services/session";
import { type TaskDetail, type TaskSummary, taskKeys } from "@/services/tasks";
import { type Batch, Coalescer } from "./coalescer";
import { LiveConnection, type LinkStatus } from "./connection";
import { putWorkers } from "./merge";
import { Refetching } from "./refetching";

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
  readonly #overview: Refetching;
  readonly #details: Refetching;
  readonly #commands: Refetching;
  readonly #issues: Refetching;
  #recent: { offset: number; tasks: TaskSummary[] }[] = [];
  #status: LinkStatus = { state: "connecting", lagMs: null, heardAt: 0 };
  #connection: LiveConnection | null = null;

  constructor(project: string, client: QueryClient) {
    this.#project = project;
    this.#client = client;
    this.#overview = new Refetching(client, 2_000);
    this.#issues = new Refetching(client, 2_000);
    this.#details = new Refetching(client, 700);
    this.#commands = new Refetching(client, 500);
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
    for (const each of [this.#overview, this.#details, this.#commands, this.#issues]) each.stop();
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
    const project = this.#project;
    if (batch.commands.length) this.#commands.call(commandKeys.lists(project));
    if (batch.bulkRuns.length) {
      this.#commands.call(bulkKeys.lists(project), ...batch.bulkRuns.map((run) => bulkKeys.detail(project, run)));
    }
    if (batch.issues.length) this.#issues.call(issueKeys.lists(project));
    if (batch.schedules.length) this.#commands.call(...this.#schedulesOf(batch));
    this.#details.call(
      ...putWorkers(this.#client, project, batch.workers),
      // Fetched, not put: the feed's JSON has rounded numbers that a result may need.
      ...batch.commands.map((command) => commandKeys.detail(project, command.id)),
      ...(batch.agents.length ? [agentKeys.list(project)] : []),
      ...batch.issues.map((issue) => issueKeys.detail(project, issue)),
      ...batch.tasks.flatMap((task) => this.#putTask(task)),
      // Too many to be named: whichever is open may be among them.
      ...(batch.many ? [["task", project], ["task-events", project]] : []),
    );
    if (batch.tasks.length || batch.workers.length || batch.issues.length || batch.schedules.length || batch.many) {
      this.#overview.call(["overview", project]);
    }
    for (const listener of this.#listeners) listener.batch?.(batch);
  }

  #schedulesOf(batch: Batch): QueryKey[] {
    const named = batch.schedules.map((id) => scheduleKeys.detail(this.#project, id));
    return [scheduleKeys.lists(this.#project), scheduleKeys.stores(this.#project), ...named];
  }

  /** Shows the new state at once; returns what else of the task (attempts, result) to fetch. */
  #putTask(task: TaskSummary): QueryKey[] {
    const key = taskKeys.detail(this.#project, task.engine, task.task_id);
    if (!this.#client.getQueryState(key)) return [];
    this.#client.setQueryData<TaskDetail>(key, (known) =>
      known && task.updated_at > known.updated_at
        ? { ...known, ...task, updated_at: known.updated_at }
        : known,
    );
    return [key, taskKeys.events(this.#project, task.engine, task.task_id)];
  }

  #remember(batch: Batch): void {
    if (batch.tasks.length) this.#recent.push({ offset: batch.offset, tasks: batch.tasks });
    let held = this.#recent.reduce((sum, each) => sum + each.tasks.length, 0);
    while (held > KEPT_TASKS && this.#recent.length > 1) {
      held -= this.#recent.shift()?.tasks.length ?? 0;
    }
  }

  #refresh(offset: number, first: boolean): void {
    if (!first) this.#recent = [];
    this.#details.call(...this.#olderThan(offset));
    for (const listener of this.#listeners) listener.refresh?.(offset, first);
  }

  /** What was asked for before the feed began may lack what happened in between. Lists of tasks
   * see to that themselves. */
  #olderThan(offset: number): QueryKey[] {
    const known = this.#client.getQueryCache().findAll({
      predicate: ({ queryKey }) => queryKey[1] === this.#project && queryKey[0] !== "tasks",
    });
    const asOf = (data: unknown) => (data as { offset?: number } | undefined)?.offset ?? -1;
    return known.filter(({ state }) => asOf(state.data) < offset).map(({ queryKey }) => queryKey);
  }
}

/** Once a frame; a hidden page has no frames, and then once a second is enough. */
function onFrame(run: () => void): void {
  if (document.hidden) setTimeout(run, 1000);
  else requestAnimationFrame(run);
}
