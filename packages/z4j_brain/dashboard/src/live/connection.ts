import { type Changes, readMessage, TOPICS } from "./messages";

export type LinkState = "connecting" | "open" | "lost" | "signed-out";

export interface LinkStatus {
  state: LinkState;
  /** How old the newest recorded event was when it arrived; null when there is none. */
  lagMs: number | null;
  /** When the server was last heard, in milliseconds since the epoch. */
  heardAt: number;
}

export interface LiveEvents {
  changes(changes: Changes): void;
  /** Everything shown may be stale. `first` is the answer to the first subscription. */
  refresh(offset: number, first: boolean): void;
  status(status: LinkStatus): void;
}

const SIGNED_OUT = 4401;
const SILENCE_MS = 15_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/** Keeps one subscription to a project's live feed, across reconnects, from the last offset.
 * `open` makes the socket, so that tests can hand in their own. */
export class LiveConnection {
  readonly #project: string;
  readonly #events: LiveEvents;
  readonly #open: () => WebSocket;
  #socket: WebSocket | null = null;
  #offset: number | null = null;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #status: LinkStatus = { state: "connecting", lagMs: null, heardAt: 0 };
  #isStopped = false;

  constructor(project: string, open: () => WebSocket, events: LiveEvents) {
    this.#project = project;
    this.#open = open;
    this.#events = events;
  }

  start(): void {
    this.#connect();
    this.#watch = setInterval(() => this.#checkSilence(), 2_000);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#socket?.close();
    this.#socket = null;
  }

  #connect(): void {
    const socket = this.#open();
    this.#socket = socket;
    socket.onopen = () => {
      const [project, offset] = [this.#project, this.#offset];
      socket.send(JSON.stringify({ type: "subscribe", project, offset, topics: TOPICS }));
    };
    socket.onmessage = (event) => {
      if (socket === this.#socket && typeof event.data === "string") this.#receive(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    };
  }

  #receive(text: string): void {
    const message = readMessage(text);
    if (!message) return;
    const first = this.#offset === null;
    this.#failures = 0;
    this.#offset = message.offset;
    switch (message.type) {
      case "changes":
        this.#tell({ state: "open" });
        return this.#events.changes(message);
      case "reset":
        this.#tell({ state: "open" });
        return this.#events.refresh(message.offset, false);
      case "ready":
        this.#tell({ state: "open", lagMs: message.lag_ms });
        if (first) this.#events.refresh(message.offset, true);
        return;
      case "tick":
        this.#tell({ state: "open", lagMs: message.lag_ms });
    }
  }

  #tell(change: Partial<LinkStatus>): void {
    const before = this.#status;
    this.#status = { ...before, heardAt: Date.now(), ...change };
    const isNews = before.state !== this.#status.state || before.lagMs !== this.#status.lagMs;
    if (isNews) this.#events.status(this.#status);
  }

  #lost(code: number): void {
    this.#socket = null;
    if (this.#isStopped) return;
    if (code === SIGNED_OUT) {
      this.#tell({ state: "signed-out", heardAt: this.#status.heardAt });
      return;
    }
    this.#tell({ state: "lost", heardAt: this.#status.heardAt });
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
    // Spread out, so that a restarted server is not met by every page at once.
    this.#timer = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
  }

  /** A dead network closes no socket; a server that ticks every 5 s and is silent is lost. */
  #checkSilence(): void {
    const silent = Date.now() - this.#status.heardAt > SILENCE_MS;
    if (this.#status.state === "open" && silent) {
      const socket = this.#socket;
      this.#lost(0);
      socket?.close();
    }
  }
}
