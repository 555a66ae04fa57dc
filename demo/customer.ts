/**
 * A customer outside of both clusters who never stops ordering. What was acknowledged to the customer must be on the target: this is
 * how lost writes are counted, and the gap between two acknowledgements is how long the shop was closed.
 */
import { setTimeout as pause } from 'node:timers/promises';

export interface Customer {
  /** Orders 1..acknowledged were answered with 201. */
  readonly acknowledged: number;
  /** Number of the last one that the source acknowledged. */
  readonly acknowledgedBySource: number;
  /** Milliseconds since 1970. */
  readonly lastOnSource: number | undefined;
  readonly firstOnTarget: number | undefined;
  /** Longest time without an acknowledgement, in ms, from the first on. */
  readonly longestGap: number;
  stop(): Promise<void>;
}

/**
 * Orders about 30 times per second, first at the source; when that does not answer, at the target, and stays where it got an answer.
 * @param findTarget URL of the target, asked again until there is one
 */
export function startCustomer(source: string, findTarget: () => Promise<string | undefined>, signal: AbortSignal): Customer {
  const end = new AbortController();
  const ended = AbortSignal.any([signal, end.signal]);
  let target: string | undefined;
  let last: number | undefined;
  const state = {
    acknowledged: 0,
    acknowledgedBySource: 0,
    lastOnSource: undefined as number | undefined,
    firstOnTarget: undefined as number | undefined,
    longestGap: 0,
  };

  function note(onTarget: boolean): void {
    const now = Date.now();
    state.acknowledged += 1;
    if (last !== undefined) state.longestGap = Math.max(state.longestGap, now - last);
    last = now;
    if (onTarget) state.firstOnTarget ??= now;
    else {
      state.acknowledgedBySource = state.acknowledged;
      state.lastOnSource = now;
    }
  }

  async function work(): Promise<void> {
    while (!ended.aborted) {
      const next = state.acknowledged + 1;
      if (state.firstOnTarget === undefined && (await order(source, next, ended))) note(false);
      else {
        target ??= await findTarget().catch(() => undefined);
        if (target !== undefined && (await order(target, next, ended))) note(true);
      }
      await pause(30, undefined, { signal: ended }).catch(() => {});
    }
  }

  const working = work();
  return {
    get acknowledged() {
      return state.acknowledged;
    },
    get acknowledgedBySource() {
      return state.acknowledgedBySource;
    },
    get lastOnSource() {
      return state.lastOnSource;
    },
    get firstOnTarget() {
      return state.firstOnTarget;
    },
    get longestGap() {
      return state.longestGap;
    },
    async stop() {
      end.abort();
      await working;
    },
  };
}

/** True when it was acknowledged. A repeated number is the same order to the shop, so no answer may be asked again. */
async function order(url: string, number: number, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${url}/orders?customer=demo&number=${number}`, {
      method: 'POST',
      signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]),
    });
    await response.arrayBuffer();
    return response.status === 201;
  } catch {
    return false;
  }
}
