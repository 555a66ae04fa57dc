import { type Entry, parentOf } from '../archive/index.ts';
import type { Part } from './content.ts';
import type { InResult, InTask, WriteItem } from './in-stream.ts';
import type { Pool } from './pool.ts';
import type { Problems } from './problems.ts';
import type { How } from './write.ts';

/** Streams that make files in the same directory wait for each other in the kernel: a directory goes to one stream unless it is large. */
const itemsPerTask = 64;
const itemsOfOneDirectory = 512;
const bytesPerTask = 4 << 20;

/** Collects items into tasks for the streams. Small files share a task; the parts of a big one go to whoever is free. */
export class Dispatcher {
  readonly #pool: Pool;
  readonly #op: 'write' | 'verify';
  readonly #problems: Problems;
  readonly #running = new Set<Promise<void>>();
  #items: WriteItem[] = [];
  #after: ((() => void) | undefined)[] = [];
  #bytes = 0;
  #directory = '';
  #failure: unknown;

  constructor(pool: Pool, op: 'write' | 'verify', problems: Problems) {
    this.#pool = pool;
    this.#op = op;
    this.#problems = problems;
  }

  /** @param after called when the item is done, right or wrong */
  async add(entry: Entry, how: How, part: Part, whole: boolean, after?: () => void): Promise<void> {
    const directory = parentOf(entry.path);
    if (directory !== this.#directory && this.#items.length >= itemsPerTask) await this.#dispatch();
    this.#directory = directory;
    const { chunks: _c, lists: _l, ...slim } = entry;
    this.#items.push({ entry: slim, how, part, whole });
    this.#after.push(after);
    for (const [, ref] of part.chunks) this.#bytes += ref[4];
    if (this.#items.length >= itemsOfOneDirectory || this.#bytes >= bytesPerTask) await this.#dispatch();
  }

  async drain(): Promise<void> {
    await this.#dispatch();
    while (this.#running.size > 0) await Promise.race(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #dispatch(): Promise<void> {
    const items = this.#items;
    const after = this.#after;
    if (items.length === 0) return;
    this.#items = [];
    this.#after = [];
    this.#bytes = 0;
    const { done } = await this.#pool.submit<InResult>({ op: this.#op, items } satisfies InTask);
    const take = async (): Promise<void> => {
      try {
        for (const [index, problem] of (await done).entries()) {
          if (problem !== undefined) this.#problems.add(items[index]?.entry.path ?? '', problem);
          after[index]?.();
        }
      } catch (error) {
        this.#failure ??= error;
      }
    };
    const running = take();
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    if (this.#failure !== undefined) throw this.#failure;
  }
}
