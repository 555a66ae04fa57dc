import { setTimeout as sleep } from 'node:timers/promises';

/** How long a store is borne with. Milliseconds. */
export interface Patience {
  /** For a TCP connection. */
  connectMs: number;
  /** Without a byte in either direction: the store, or the way to it, is dead. */
  idleMs: number;
  /** Tries of one request while the store has never answered: then it is more likely misnamed than busy. */
  firstAttempts: number;
  /** Tries of one request once it has answered: enough to live through its restart. */
  attempts: number;
  /** The first wait between tries; the next ones double. */
  waitMs: number;
  longestWaitMs: number;
  /** A store's own Retry-After is honoured up to this. */
  longestRetryAfterMs: number;
}

/** With these a store that answered before may be away for about half a minute. */
export const defaultPatience: Patience = {
  connectMs: 10_000,
  idleMs: 60_000,
  firstAttempts: 5,
  attempts: 10,
  waitMs: 100,
  longestWaitMs: 10_000,
  longestRetryAfterMs: 60_000,
};

export interface Retry {
  patience: Patience;
  /** How often the request may be tried; asked after each failure. */
  attempts: () => number;
  /** Can a later try help? */
  transient: (error: unknown) => boolean;
  /** What the store asked to wait, milliseconds. */
  retryAfter: (error: unknown) => number | undefined;
  signal: AbortSignal | undefined;
}

/**
 * Calls `work` until it succeeds, a later try cannot help, or the tries are used up. Waits between them with jitter, so that sixteen streams do not come back
 * in the same moment; the signal ends a wait at once.
 */
export async function retrying<T>(work: (attempt: number) => Promise<T>, retry: Retry): Promise<T> {
  const { patience, signal } = retry;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= retry.attempts() || !retry.transient(error)) throw error;
      const longest = Math.min(patience.longestWaitMs, patience.waitMs * 2 ** (attempt - 1));
      const asked = Math.min(retry.retryAfter(error) ?? 0, patience.longestRetryAfterMs);
      await pause(Math.max(asked, longest * (0.5 + Math.random() / 2)), signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted(); // the caller's own reason, not the timer's
    throw error;
  }
}
