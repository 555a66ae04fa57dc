import { setTimeout as sleep } from 'node:timers/promises';

/** A token bucket of one second: over ten seconds no more than the rate goes through, whatever the size of a piece. */
export class Throttle {
  readonly #rate: number | undefined;
  #ready = 0;

  /** @param rate bytes per second; absent: no limit */
  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  /** Waits until `bytes` may pass. A piece larger than the bucket pays its time before it goes. */
  async take(bytes: number): Promise<void> {
    if (this.#rate === undefined) return;
    const now = performance.now();
    this.#ready = Math.max(this.#ready, now - 1000) + (bytes / this.#rate) * 1000;
    if (this.#ready > now) await sleep(this.#ready - now);
  }
}
