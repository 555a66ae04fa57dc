import type { Location } from './location.ts';

/** A location whose client is loaded at its first use: the S3 SDK takes a third of a second, which a `--help` or a directory store need not pay. */
export function lazyLocation(url: string, load: () => Promise<Location>): Location {
  let loading: Promise<Location> | undefined;
  const opened = async (): Promise<Location> => await (loading ??= load());
  return {
    url,
    put: async (...args) => await (await opened()).put(...args),
    getRange: async (...args) => await (await opened()).getRange(...args),
    get: async (...args) => await (await opened()).get(...args),
    head: async (...args) => await (await opened()).head(...args),
    async *list(...args) {
      yield* (await opened()).list(...args);
    },
    delete: async (...args) => await (await opened()).delete(...args),
    deleteMany: async (...args) => await (await opened()).deleteMany(...args),
    now: async (...args) => await (await opened()).now(...args),
    close: async () => {
      if (loading !== undefined) await (await loading).close();
    },
  };
}
