/**
 * Keys that wait for work: each is there once, is worked on by one worker at a time, and comes back later when it failed.
 * The contract is that of client-go's workqueue, which every controller author knows.
 */

export interface QueueOptions {
  /** First delay after a failure, doubled each time; default 250 ms. */
  baseMs?: number;
  /** Longest delay, default 60 s. */
  maxMs?: number;
}

export class WorkQueue {
  readonly #ready = new Set<string>();
  readonly #working = new Set<string>();
  /** Asked for again while being worked on. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { timer: NodeJS.Timeout; due: number }>();
  readonly #failures = new Map<string, number>();
  readonly #idle: ((key: string | undefined) => void)[] = [];
  readonly #baseMs: number;
  readonly #maxMs: number;
  #closed = false;

  constructor(options: QueueOptions = {}) {
    this.#baseMs = options.baseMs ?? 250;
    this.#maxMs = options.maxMs ?? 60_000;
  }

  /** Queues a key now. Waiting already: nothing. Being worked on: once more afterwards. */
  add(key: string): void {
    if (this.#closed) return;
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.add(key);
    this.#hand();
  }

  /** Queues a key after `ms`; of several delays for one key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) return this.add(key);
    const due = Date.now() + ms;
    const planned = this.#delayed.get(key);
    if (planned !== undefined && planned.due <= due) return;
    clearTimeout(planned?.timer);
    const timer = setTimeout(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, ms);
    this.#delayed.set(key, { timer, due });
  }

  /** Queues a key after a delay that grows with each failure in a row; gives the delay in ms. */
  addFailed(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const ms = Math.min(this.#maxMs, this.#baseMs * 2 ** failures);
    this.addAfter(key, ms);
    return ms;
  }

  /** The key did well: its next failure starts from the first delay. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, now worked on; undefined when the queue is closed. Each key taken must be given back by `done`. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#hand();
    });
  }

  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Frees all timers; workers that wait get undefined. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
    this.#ready.clear();
    this.#again.clear();
    for (const give of this.#idle.splice(0)) give(undefined);
  }

  #hand(): void {
    for (const key of this.#ready) {
      const give = this.#idle.shift();
      if (give === undefined) return;
      this.#ready.delete(key);
      this.#working.add(key);
      give(key);
    }
  }
}
