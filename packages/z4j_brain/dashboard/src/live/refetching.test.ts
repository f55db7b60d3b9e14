import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { taskKeys } from "@/services/tasks";
import { LiveFeed } from "./feed";
import { Refetching } from "./refetching";

/** A query that somebody looks at, whose answers are given by hand. */
function watched(client: QueryClient, queryKey: readonly unknown[]) {
  const answers: ((value: unknown) => void)[] = [];
  const observer = new QueryObserver(client, {
    queryKey,
    queryFn: () => new Promise<unknown>((resolve) => answers.push(resolve)),
  });
  const leave = observer.subscribe(() => {});
  return { answers, leave, shown: () => client.getQueryData(queryKey) };
}

let client: QueryClient;
beforeEach(() => {
  vi.useFakeTimers();
  client = new QueryClient();
});
afterEach(() => {
  client.clear();
  vi.useRealTimers();
});

describe("Refetching", () => {
  it("asks once more when the answer on its way may be older than the change", async () => {
    const { answers, leave, shown } = watched(client, ["task", "shop", "1"]);
    const refetching = new Refetching(client, 700);
    refetching.call(["task", "shop", "1"]);
    expect(answers).toHaveLength(1);
    answers[0]!("queued");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(shown()).toBe("queued");
    expect(answers).toHaveLength(2);
    answers[1]!("failed");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(shown()).toBe("failed");
    expect(answers).toHaveLength(2);
    leave();
  });

  it("asks at once, then once for all calls of a pause", async () => {
    const { answers, leave } = watched(client, ["task", "shop", "1"]);
    answers[0]!("queued");
    await vi.advanceTimersByTimeAsync(0);
    const refetching = new Refetching(client, 700);
    for (let n = 0; n < 5; n++) refetching.call(["task", "shop", "1"]);
    expect(answers).toHaveLength(2);
    answers[1]!("running");
    await vi.advanceTimersByTimeAsync(700);
    expect(answers).toHaveLength(3);
    leave();
  });

  it("asks nothing more after its stop", async () => {
    const { answers, leave } = watched(client, ["task", "shop", "1"]);
    const refetching = new Refetching(client, 700);
    refetching.call(["task", "shop", "1"]);
    refetching.stop();
    answers[0]!("queued");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(answers).toHaveLength(1);
    leave();
  });
});

class Socket {
  static newest: Socket;
  onopen = () => {};
  onclose = () => {};
  onmessage = (_event: { data: string }) => {};
  constructor() {
    Socket.newest = this;
  }
  send() {}
  close() {}
  receive(message: object) {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

describe("LiveFeed", () => {
  const key = taskKeys.detail("shop", "celery", "1");
  let feed: LiveFeed;
  beforeEach(() => {
    vi.stubGlobal("WebSocket", Socket);
    vi.stubGlobal("requestAnimationFrame", (run: () => void) => setTimeout(run, 16));
    feed = new LiveFeed("shop", client);
    feed.start();
  });
  afterEach(() => {
    feed.stop();
    vi.unstubAllGlobals();
  });

  it("fetches an open task again that changed before the subscription", async () => {
    const { answers, leave } = watched(client, key);
    answers[0]!({ state: "queued", offset: 4 });
    await vi.advanceTimersByTimeAsync(0);
    Socket.newest.receive({ type: "ready", offset: 5, lag_ms: null });
    expect(answers).toHaveLength(2);
    leave();
  });

  it("leaves alone what is as new as the subscription", async () => {
    const { answers, leave } = watched(client, key);
    answers[0]!({ state: "queued", offset: 5 });
    await vi.advanceTimersByTimeAsync(0);
    Socket.newest.receive({ type: "ready", offset: 5, lag_ms: null });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(answers).toHaveLength(1);
    leave();
  });

  it("fetches an open task again when too many changed to be named", async () => {
    const { answers, leave } = watched(client, key);
    answers[0]!({ state: "queued", offset: 5 });
    await vi.advanceTimersByTimeAsync(0);
    Socket.newest.receive({ type: "ready", offset: 5, lag_ms: null });
    Socket.newest.receive({ type: "changes", offset: 900, many: true });
    await vi.advanceTimersByTimeAsync(100);
    expect(answers).toHaveLength(2);
    leave();
  });
});
