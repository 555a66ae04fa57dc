import { comparePaths } from '../archive/index.ts';

/** Reads a sorted stream beside another one: `at(path)` advances to a path and says whether it is there. */
export class Cursor<T extends { path: string }> {
  readonly #entries: AsyncIterator<T>;
  #head: T | undefined;
  #started = false;

  constructor(entries: AsyncIterable<T>) {
    this.#entries = entries[Symbol.asyncIterator]();
  }

  /** The next entry without taking it; undefined at the end. */
  async peek(): Promise<T | undefined> {
    if (!this.#started) {
      this.#started = true;
      await this.#advance();
    }
    return this.#head;
  }

  async take(): Promise<T | undefined> {
    const head = await this.peek();
    if (head !== undefined) await this.#advance();
    return head;
  }

  /** Skips what sorts before `path`; returns the entry of exactly this path, taken, or undefined. */
  async at(path: string): Promise<T | undefined> {
    for (;;) {
      const head = await this.peek();
      if (head === undefined) return undefined;
      const order = comparePaths(head.path, path);
      if (order > 0) return undefined;
      await this.#advance();
      if (order === 0) return head;
    }
  }

  async #advance(): Promise<void> {
    const next = await this.#entries.next();
    this.#head = next.done === true ? undefined : next.value;
  }
}
