/** Waiting for a condition on the cluster: polls, because it is bounded, needs no watch rights, and survives cut connections. */
import { setTimeout as delay } from 'node:timers/promises';
import { TranshipError } from '../errors.ts';
import { noAnswer } from './retrying.ts';

export interface WaitOptions {
  /** What is awaited, as it completes the sentence "… did not become ready within 5 min". */
  what: string;
  timeoutMs: number;
  signal: AbortSignal;
  intervalMs?: number;
  /** Facts for the error when time is up: gathered before anything is cleaned away. */
  diagnose?(): Promise<string>;
}

/**
 * Calls `check` until it returns something. An API server that gives no answer (no connection, 429, 5xx, deadline of the call) is
 * asked again within the same bound.
 * @throws TimedOut with what is known about the reason
 */
export async function waitFor<T>(check: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const end = Date.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    options.signal.throwIfAborted();
    try {
      const found = await check();
      if (found !== undefined) return found;
      last = undefined;
    } catch (error) {
      if (!noAnswer(error)) throw error;
      last = error;
    }
    if (Date.now() >= end) {
      const why = (await options.diagnose?.().catch(() => '')) ?? '';
      throw new TranshipError(
        'TimedOut',
        `${options.what} within ${Math.round(options.timeoutMs / 1000)} s${why === '' ? '.' : `: ${why}`}`,
        { cause: last },
      );
    }
    await delay(options.intervalMs ?? 200, undefined, { signal: options.signal });
  }
}
