import { hashKey, type QueryClient, type QueryKey } from "@tanstack/react-query";
import { Throttle } from "./throttle";

/** Fetches again what has changed: at once, then at most once per `pauseMs`.
 *
 * An answer that is still on its way may be older than the change. It is let in, since a page
 * that is busy and slow would never see one otherwise, and the query is fetched once more. */
export class Refetching {
  readonly #client: QueryClient;
  readonly #throttle: Throttle;
  #due = new Map<string, QueryKey>();

  constructor(client: QueryClient, pauseMs: number) {
    this.#client = client;
    this.#throttle = new Throttle(pauseMs, () => this.#run());
  }

  call(...keys: QueryKey[]): void {
    if (keys.length === 0) return;
    for (const key of keys) this.#due.set(hashKey(key), key);
    this.#throttle.call();
  }

  stop(): void {
    this.#throttle.stop();
    this.#due.clear();
  }

  #run(): void {
    const keys = [...this.#due.values()];
    this.#due.clear();
    for (const queryKey of keys) {
      if (this.#client.isFetching({ queryKey })) this.call(queryKey);
      else void this.#client.invalidateQueries({ queryKey });
    }
  }
}
