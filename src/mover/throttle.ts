import { setTimeout as delay } from 'node:timers/promises';

/** What a throttle needs of time, milliseconds; tests bring their own. */
export interface Time {
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

const realTime: Time = { now: () => performance.now(), sleep: async (milliseconds) => await delay(milliseconds) };

/** Time that was not used may be made up for within this, milliseconds: more would be a burst that shows over ten seconds. */
const bucket = 250;

/** A token bucket: over ten seconds the rate is kept to a few percent, as long as each piece is no larger than `grain`. */
export class Throttle {
  readonly #rate: number | undefined;
  readonly #time: Time;
  #ready = 0;

  /** @param rate bytes per second; absent: no limit */
  constructor(rate: number | undefined, time: Time = realTime) {
    this.#rate = rate;
    this.#time = time;
  }

  /** The most bytes that should pass at once: what half a second allows, but no less than requests are worth. Undefined without a limit. */
  get grain(): number | undefined {
    return this.#rate === undefined ? undefined : Math.max(256 << 10, Math.floor(this.#rate / 2));
  }

  /** Waits until `bytes` may pass: their time is paid before they go. */
  async take(bytes: number): Promise<void> {
    if (this.#rate === undefined) return;
    const now = this.#time.now();
    this.#ready = Math.max(this.#ready, now - bucket) + (bytes / this.#rate) * 1000;
    if (this.#ready > now) await this.#time.sleep(this.#ready - now);
  }
}
