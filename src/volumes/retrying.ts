/** Doing a piece of work again until it is not turned away for a reason that passes by itself. */
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../errors.ts';
import { kubeDetails, passingReason } from '../kube/index.ts';

export interface RetryOptions {
  /** From the first call on. Work that has begun when it ends is not cut off. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Told before every pause, with what was thrown and how long the pause is. */
  onRetry?(error: unknown, pauseMs: number): void;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Calls `work` until it does not throw what passes by itself (see `passes`), with pauses from 100 ms, doubled, up to 5 s. `work` may have had
 * its effect and throw all the same (a cut connection), so it must be good to be done twice.
 * @throws what `work` threw: at once when it does not pass, and the last one when the time is over. Canceled when the signal aborts.
 * @example await retrying(() => client.patch(…), { timeoutMs: 15 * 60_000, signal });
 */
export async function retrying<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const end = Date.now() + options.timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    options.signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const left = end - Date.now();
      if (options.signal.aborted || left <= 0 || !passes(error)) throw error;
      const pause = Math.min(pauseMs, left);
      options.onRetry?.(error, pause);
      await delay(pause, undefined, { signal: options.signal });
    }
  }
}

/**
 * Pure: is this an answer, or only a moment? Moments: a server that gives no answer (see `noAnswer`), a lost race on a resourceVersion, and the
 * refusals of kube's table (quota not counted, webhook not up, …). Everything else is an answer; also that a kind is not served: what we write
 * here is built in, or the snapshot API, which nobody is about to install.
 */
export function passes(error: unknown): boolean {
  return noAnswer(error) || (kubeDetails(error)?.reason !== 'NotServed' && passingReason(error) !== undefined);
}

/** Pure: no connection, a call that ran into its own deadline, or a server that fails, starts or is busy (429, 5xx). */
export function noAnswer(error: unknown): boolean {
  const code = codeOf(error);
  // The kube room gives every error details; a TimedOut without them is a wait of ours, which has waited long enough.
  return code === 'Unreachable' || (code === 'TimedOut' && kubeDetails(error) !== undefined);
}
