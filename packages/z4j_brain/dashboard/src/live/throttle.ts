/** Runs at once, then at most once per `pauseMs`; calls in between become one at the end. */
export class Throttle {
  readonly #pauseMs: number;
  readonly #run: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDue = false;

  constructor(pauseMs: number, run: () => void) {
    this.#pauseMs = pauseMs;
    this.#run = run;
  }

  call(): void {
    if (this.#timer !== undefined) {
      this.#isDue = true;
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isDue) return;
      this.#isDue = false;
      this.call();
    }, this.#pauseMs);
    this.#run(); // last, for it may call again
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDue = false;
  }
}
