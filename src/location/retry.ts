import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls `work` up to `attempts` times while `transient` says that a later try can help. Waits 100 ms, 200 ms, … at most 5 s, with jitter, so that
 * sixteen streams do not come back in the same moment.
 */
export async function retrying<T>(
  work: (attempt: number) => Promise<T>,
  transient: (error: unknown) => boolean,
  signal: AbortSignal | undefined,
  attempts = 6,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= attempts || signal?.aborted === true || !transient(error)) throw error;
      const longest = Math.min(5000, 100 * 2 ** (attempt - 1));
      await sleep(longest * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : { signal });
    }
  }
}
