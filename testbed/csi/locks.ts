/** Requests that touch the same volume, snapshot or name wait for each other; all others run side by side. */
export class KeyLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `work` when all earlier holders of any of the keys are done. The keys are queued for together, so nobody deadlocks. */
  async hold<T>(keys: string[], work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const earlier = keys.map((key) => this.#tails.get(key) ?? Promise.resolve());
    for (const key of keys) this.#tails.set(key, promise);
    await Promise.all(earlier);
    try {
      return await work();
    } finally {
      resolve();
      for (const key of keys) if (this.#tails.get(key) === promise) this.#tails.delete(key);
    }
  }
}
