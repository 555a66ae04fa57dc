/**
 * How many requests are in flight: grows while the server keeps up, shrinks when it says that it can't (429) or when answers take several
 * times as long as at best. Additive increase, multiplicative decrease, as TCP does it.
 */
const LEAST = 2;
const START = 16;
/** Measured on two cores: 32 in flight is the knee, beyond it only the latency grows (testbed.md). */
const MOST = 48;
/** Slower than this multiple of the best latency seen is congestion. */
const CONGESTED = 6;
/** Below this many milliseconds latency says more about our own process than about the server. */
const NOISE_MS = 40;

export class Pace {
  #limit = START;
  #running = 0;
  #best = Number.POSITIVE_INFINITY;
  #sinceShrink = 0;
  readonly #waiting: (() => void)[] = [];

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Runs one request when there is room for it. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.limit) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)); // whoever wakes us has counted us
    try {
      const started = performance.now();
      const result = await work();
      this.answered(performance.now() - started);
      return result;
    } finally {
      this.#running -= 1;
      this.#wake();
    }
  }

  /** An answer came after so many milliseconds. */
  answered(milliseconds: number): void {
    this.#best = Math.min(this.#best, milliseconds);
    this.#sinceShrink += 1;
    if (milliseconds > Math.max(NOISE_MS, this.#best * CONGESTED)) this.#shrink(0.9);
    else this.#limit = Math.min(MOST, this.#limit + 1 / this.#limit);
  }

  /** The server has turned a request away. */
  turnedAway(): void {
    this.#shrink(0.5);
  }

  /** Once per round of requests: all that were in flight together tell of the same congestion. */
  #shrink(factor: number): void {
    if (this.#sinceShrink < this.limit) return;
    this.#sinceShrink = 0;
    this.#limit = Math.max(LEAST, this.#limit * factor);
  }

  #wake(): void {
    while (this.#running < this.limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next();
    }
  }
}
