/** An object store in memory, for tests: quick, and it tells what was asked of it. It passes the contract of all stores. */
import { deleteEach } from '../delete-each.ts';
import type { Location } from '../location.ts';
import { checkName, checkPrefix, missing, tooLarge, tooShort } from '../names.ts';

export interface MemoryStore extends Location {
  readonly objects: Map<string, { body: Uint8Array; modified: number }>;
  /** Moves the store's clock on, milliseconds. */
  pass(time: number): void;
}

/** @param like begins with the objects of this one */
export function memoryStore(like?: MemoryStore): MemoryStore {
  const url = 'memory:';
  const objects: MemoryStore['objects'] = new Map(like?.objects);
  let clock = Date.UTC(2001, 0, 1);
  const bodyOf = (name: string): Uint8Array => {
    const found = objects.get(checkName(name));
    if (found === undefined) throw missing(url, name);
    return found.body;
  };
  const later = async (signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    await Promise.resolve();
  };
  return {
    url,
    objects,
    pass: (time) => void (clock += time),
    async put(name, body, options = {}) {
      await later(options.signal);
      if (options.ifAbsent === true && objects.has(checkName(name))) return 'exists';
      objects.set(checkName(name), { body: Uint8Array.from(body), modified: clock });
      return 'created';
    },
    async getRange(name, offset, length, signal) {
      await later(signal);
      const body = bodyOf(name);
      if (offset + length > body.length) throw tooShort(url, name, offset + length, body.length);
      return body.slice(offset, offset + length);
    },
    async get(name, maxBytes, signal) {
      await later(signal);
      const body = bodyOf(name);
      if (body.length > maxBytes) throw tooLarge(url, name, body.length, maxBytes);
      return body.slice();
    },
    async head(name, signal) {
      await later(signal);
      const found = objects.get(checkName(name));
      return found === undefined ? undefined : { size: found.body.length };
    },
    async *list(prefix, signal) {
      checkPrefix(prefix);
      await later(signal);
      for (const name of [...objects.keys()].filter((one) => one.startsWith(prefix)).toSorted((a, b) => (a < b ? -1 : 1))) {
        const found = objects.get(name);
        if (found !== undefined) yield { name, size: found.body.length, modified: found.modified };
      }
    },
    async delete(name, signal) {
      await later(signal);
      objects.delete(checkName(name));
    },
    async deleteMany(names, signal) {
      return await deleteEach(names, async (name) => await this.delete(name, signal), signal);
    },
    now: async () => await Promise.resolve(clock),
    close: async () => await Promise.resolve(),
  };
}
