/** One signal out of "the caller gave up" and "it takes too long", with both told apart afterwards. */
import { TranshipError } from '../errors.ts';

export interface Deadline {
  signal: AbortSignal;
  /** True when the time ran out (and not the caller gave up). */
  expired(): boolean;
  /** Must be called when the work is over: frees the timer and the listener on the caller's signal. */
  clear(): void;
}

/**
 * Hand-made instead of AbortSignal.any + AbortSignal.timeout: those leave one dependant per call on a signal that lives as long as
 * the program.
 *
 * @param ms Infinity for no limit
 */
export function startDeadline(caller: AbortSignal | undefined, ms: number): Deadline {
  const controller = new AbortController();
  let timedOut = false;
  const onAbort = (): void => controller.abort(caller?.reason);
  if (caller?.aborted === true) onAbort();
  else caller?.addEventListener('abort', onAbort, { once: true });
  const timer = Number.isFinite(ms)
    ? setTimeout(() => {
        timedOut = true;
        controller.abort();
      }, ms)
    : undefined;
  return {
    signal: controller.signal,
    expired: () => timedOut,
    clear() {
      clearTimeout(timer);
      caller?.removeEventListener('abort', onAbort);
    },
  };
}

/** Waits, and rejects with the signal's reason when it aborts first. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(reasonOf(signal));
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** What to throw for an aborted signal: our own errors as they are, all else as Canceled. */
export function reasonOf(signal: AbortSignal): TranshipError {
  return signal.reason instanceof TranshipError
    ? signal.reason
    : new TranshipError('Canceled', 'Stopped on request.', { cause: signal.reason });
}
