/** Puts the operations of several actors on one store into an order that the test chooses. For stores whose operations need no real waiting. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Location } from '../location.ts';
import { type Operation, wrapLocation } from './wrap.ts';

export interface Waiting extends Operation {
  actor: string;
}

/**
 * Runs the actors; before each operation of one of them everybody stands still, and `choose` says who goes on.
 * @param choose index into what waits; each operation is waited for until all actors stand still again
 * @returns how each actor ended
 */
export async function inTurns(
  store: Location,
  actors: Readonly<Record<string, (location: Location) => Promise<unknown>>>,
  choose: (waiting: readonly Waiting[]) => number,
): Promise<Record<string, PromiseSettledResult<unknown>>> {
  const waiting: { operation: Waiting; go: () => void }[] = [];
  let running = 0;
  const ends = Object.entries(actors).map(async ([actor, act]) => {
    running++;
    const location = wrapLocation(store, {
      before: async (operation) => await new Promise<void>((go) => waiting.push({ operation: { actor, ...operation }, go })),
    });
    const [end] = await Promise.allSettled([act(location)]);
    running--;
    return [actor, end] as const;
  });
  for (;;) {
    // What follows an answer is promises only: after one turn of the event loop everybody waits again.
    await turn();
    if (running === 0 && waiting.length === 0) break;
    if (waiting.length === 0) continue;
    const [chosen] = waiting.splice(choose(waiting.map(({ operation }) => operation)), 1);
    chosen?.go();
  }
  return Object.fromEntries((await Promise.all(ends)).map(([actor, end]) => [actor, end ?? { status: 'fulfilled', value: undefined }]));
}
