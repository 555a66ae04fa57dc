/** Pure: may a failed call be sent again, and when. */
import { neverSent } from './failures.ts';

/** Tries for failures that are not the server asking us to wait. */
const MAX_FAILURES = 4;
/** The server may ask us to wait as often as the deadline allows, within reason. */
const MAX_WAITS = 30;

export interface Tried {
  /** 1 for the first try. */
  attempt: number;
  /** Sending it twice has the same effect as once: reads, server-side apply, dry runs, deletes bound to a uid. */
  repeatable: boolean;
}

/**
 * Milliseconds to wait before the next try after an answer, or undefined to give up.
 *
 * 429 and 503 with Retry-After mean that the server did not take the request (API priority and fairness, start, shutdown), so even a
 * create may be repeated. Without it only repeatable requests are, and only for gateway-like failures.
 */
export function afterAnswer(status: number, retryAfter: string | undefined, tried: Tried, random = Math.random): number | undefined {
  const turnedAway = status === 429 || (status === 503 && retryAfter !== undefined);
  if (turnedAway) {
    if (tried.attempt > MAX_WAITS) return undefined;
    const asked = retryAfterMs(retryAfter);
    // Spread, so that callers which were turned away together do not come back together.
    return asked === undefined ? backoff(tried.attempt, random) : asked * (1 + random() * 0.25);
  }
  if (tried.repeatable && (status === 502 || status === 503 || status === 504) && tried.attempt < MAX_FAILURES)
    return backoff(tried.attempt, random);
  return undefined;
}

/** Milliseconds to wait after a failed connection, or undefined to give up. `code` from `networkCode`. */
export function afterFailure(code: string, tried: Tried, random = Math.random): number | undefined {
  if (tried.attempt >= MAX_FAILURES) return undefined;
  if (code === 'ECONNREFUSED' || code === 'EAI_AGAIN') return backoff(tried.attempt, random);
  if (neverSent(code)) return undefined;
  return tried.repeatable && CUT.has(code) ? backoff(tried.attempt, random) : undefined;
}

const CUT = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ETIMEDOUT']);

/** 100 ms, doubled each time up to 5 s, half of it random. */
export function backoff(attempt: number, random = Math.random): number {
  const full = Math.min(5_000, 100 * 2 ** (attempt - 1));
  return full / 2 + (random() * full) / 2;
}

/** Retry-After in seconds or as a date (RFC 9110 10.2.3); undefined when absent or unreadable. At most 60 s. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(60_000, Math.max(0, ms));
}
