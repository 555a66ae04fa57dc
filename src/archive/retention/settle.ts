/** The writes that come before any deletion: marks of restore points, tombstones of what was abandoned, the ends of logs. */
import { forEachLimited } from '../../parallel.ts';
import { hiddenName, pointName, retiredName, roundName } from '../names.ts';
import { sealDocument } from '../sealed.ts';
import { closeRound, readUses, type User } from '../uses.ts';
import { givenUp, isGivenUp, readSealed, type Vault, writeOnce } from '../vault.ts';
import { largestPoint } from '../control.ts';
import type { Decision, Wish } from './decide.ts';
import type { Facts, VolumeFacts } from './facts.ts';
import type { Closed } from './removal.ts';

/**
 * Carries the decision into the store. What has changed since the facts were read wins: rounds that somebody joined meanwhile are moved to `inUse`.
 * @returns the rounds whose logs are closed now
 */
export async function closeAndMark(
  vault: Vault,
  facts: Facts,
  state: { wish: Wish; decision: Decision; names: readonly string[] },
  options: {
    signal?: AbortSignal;
    onProgress?: (progress: { phase: 'mark'; objects: number; ofObjects: number; bytes: 0; ofBytes: 0 }) => void;
  },
): Promise<Closed> {
  const { decision } = state;
  const { signal } = options;
  const rounds = [...decision.volumes].flatMap(([id, { retire }]) => [...retire].map((round) => [id, round] as const));
  let done = 0;
  const step = (): void => options.onProgress?.({ phase: 'mark', objects: done++, ofObjects: rounds.length, bytes: 0, ofBytes: 0 });
  // The mark first: from here on readers do not see the restore point, and every later run finishes its deletion.
  for (const name of state.names) {
    const id = hiddenName(vault.key, 'point', name);
    await writeOnce(vault, retiredName(vault.lineage, id), { format: 'tranship-retired', version: 1, name }, signal);
  }
  for (const id of decision.giveUpPoints) {
    if (!(await writeOnce(vault, pointName(vault.lineage, id), givenUp, signal, largestPoint))) decision.giveUpPoints.delete(id); // committed at last
  }
  for (const [id, { giveUp }] of decision.volumes)
    await forEachLimited([...giveUp], 8, async (round) => await takeName(vault, id, round, signal));

  const closed = new Map([...closedOf(facts)].map(([id, numbers]) => [id, new Set(numbers)]));
  await forEachLimited(rounds, 8, async ([id, round]) => {
    step();
    const volume = facts.volumes.get(id);
    const user = await closeRound(vault, id, round, async (one) => await isSettled(vault, volume, one, decision, signal), signal);
    const one = decision.volumes.get(id);
    if (user === undefined) closed.set(id, (closed.get(id) ?? new Set<number>()).add(round));
    else {
      one?.retire.delete(round);
      one?.inUse.set(round, user);
    }
  });
  return closed;
}

/** The rounds whose logs were closed when they were read. */
export function closedOf(facts: Facts): Map<string, Set<number>> {
  return new Map(
    [...facts.volumes].map(([id, { logs }]) => [id, new Set([...logs].flatMap(([round, log]) => (log.closed ? [round] : [])))]),
  );
}

export function union(one: Closed, other: Closed): Map<string, Set<number>> {
  const all = new Map<string, Set<number>>();
  for (const part of [one, other]) for (const [id, rounds] of part) all.set(id, new Set([...(all.get(id) ?? []), ...rounds]));
  return all;
}

/** A tombstone under the round's own name: the commit is a conditional create of the same name, so one of the two wins, for good. */
async function takeName(vault: Vault, volumeId: string, round: number, signal?: AbortSignal): Promise<void> {
  const name = roundName(vault.lineage, volumeId, round);
  const tombstone = sealDocument(vault.key, name, Buffer.from(JSON.stringify(givenUp)));
  await vault.location.put(name, tombstone, { ifAbsent: true, ...(signal === undefined ? {} : { signal }) });
}

/** True when the user can never need the round again: it is complete without it, deleted, or given up. */
async function isSettled(
  vault: Vault,
  volume: VolumeFacts | undefined,
  user: User,
  decision: Decision,
  signal?: AbortSignal,
): Promise<boolean> {
  const { lineage, location } = vault;
  if ('round' in user) {
    if (volume === undefined || volume.rounds.has(user.round)) return true;
    if ((await location.head(roundName(lineage, volume.id, user.round), signal)) !== undefined) return true;
    return (await readUses(vault, volume.id, user.round, signal)).closed;
  }
  if (decision.dead.has(user.point)) return true;
  if ((await location.head(retiredName(lineage, user.point), signal)) !== undefined) return true;
  return isGivenUp(await readSealed(vault, pointName(lineage, user.point), largestPoint, signal));
}
