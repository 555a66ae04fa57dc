/** Wraps a store for tests: something happens before and after each of its operations. */
import type { Location } from '../location.ts';

export interface Operation {
  verb: 'put' | 'getRange' | 'get' | 'head' | 'list' | 'delete' | 'deleteMany' | 'now';
  name: string;
}

/** `before` and `after` may wait, and may throw instead of the store. */
export function wrapLocation(
  location: Location,
  hooks: { before?: (operation: Operation) => Promise<void>; after?: (operation: Operation) => Promise<void> },
): Location {
  async function around<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    await hooks.before?.(operation);
    const result = await work();
    await hooks.after?.(operation);
    return result;
  }
  return {
    url: location.url,
    put: async (name, ...rest) => await around({ verb: 'put', name }, async () => await location.put(name, ...rest)),
    getRange: async (name, ...rest) => await around({ verb: 'getRange', name }, async () => await location.getRange(name, ...rest)),
    get: async (name, ...rest) => await around({ verb: 'get', name }, async () => await location.get(name, ...rest)),
    head: async (name, ...rest) => await around({ verb: 'head', name }, async () => await location.head(name, ...rest)),
    async *list(prefix, ...rest) {
      await hooks.before?.({ verb: 'list', name: prefix });
      yield* location.list(prefix, ...rest);
      await hooks.after?.({ verb: 'list', name: prefix });
    },
    delete: async (name, ...rest) => await around({ verb: 'delete', name }, async () => await location.delete(name, ...rest)),
    // One by one, so that a test can come between them.
    async deleteMany(names, signal) {
      const refused = [];
      for (const name of names)
        refused.push(...(await around({ verb: 'deleteMany', name }, async () => await location.deleteMany([name], signal))));
      return refused;
    },
    now: async (...rest) => await around({ verb: 'now', name: '' }, async () => await location.now(...rest)),
    close: async () => await location.close(),
  };
}
