/** Which objects go, and how many bytes that frees. Used by dry runs and deletions alike. */
import { codeOf, TranshipError } from '../../errors.ts';
import { hiddenName, packName } from '../names.ts';
import type { Decision } from './decide.ts';
import { type Facts, roundOf, type StoredObject, type VolumeFacts } from './facts.ts';
import type { Reach } from './reach.ts';

export interface VolumeRemoval {
  volume: VolumeFacts;
  rounds: StoredObject[];
  packs: StoredObject[];
  /** A round that stays could not be read: nothing of this volume goes. */
  damaged: TranshipError | undefined;
}

export interface Removal {
  volumes: VolumeRemoval[];
  sections: Map<string, StoredObject[]>;
  /** Documents of restore points. The last to go: as long as one is there, its deletion is not finished. */
  points: Map<string, StoredObject>;
}

/** Rounds that cannot be used any more, by volume: their logs were closed before the listing was read. */
export type Closed = ReadonlyMap<string, ReadonlySet<number>>;

/**
 * A pack goes when its round can never be committed any more, or is, and no round that stays names it.
 * @param givenUp rounds that are, or in a dry run would be, given up besides those that the facts say
 */
export async function removalOf(
  facts: Facts,
  decision: Decision,
  state: { lineage: string; key: Buffer; closed: Closed; givenUp: Closed; reach: Reach; signal?: AbortSignal | undefined },
): Promise<Removal> {
  const removal: Removal = { volumes: [], sections: new Map(), points: new Map() };
  for (const volume of facts.volumes.values()) removal.volumes.push(await volumeRemoval(volume, state));
  for (const [id, objects] of facts.sections) {
    const gone = decision.dead.has(id) || decision.giveUpPoints.has(id) || facts.points.get(id)?.state === 'GivenUp';
    if (gone) removal.sections.set(id, objects);
  }
  const held = new Set(removal.volumes.filter(({ damaged }) => damaged !== undefined).map(({ volume }) => volume.id));
  for (const [id, one] of decision.volumes) if (one.inUse.size > 0) held.add(id);
  for (const id of decision.dead) {
    const point = facts.points.get(id);
    if (point === undefined) continue;
    const volumes = point.state === 'Committed' ? point.document.volumes : [];
    if (!volumes.some(({ volume }) => held.has(hiddenName(state.key, 'volume', volume)))) removal.points.set(id, point);
  }
  return removal;
}

async function volumeRemoval(
  volume: VolumeFacts,
  state: { lineage: string; closed: Closed; givenUp: Closed; reach: Reach; signal?: AbortSignal | undefined },
): Promise<VolumeRemoval> {
  const closed = state.closed.get(volume.id) ?? new Set<number>();
  const givenUp = state.givenUp.get(volume.id) ?? new Set<number>();
  const removal: VolumeRemoval = { volume, rounds: [], packs: [], damaged: undefined };
  const settled = (round: number): boolean => volume.rounds.has(round) || closed.has(round) || givenUp.has(round);
  const candidates = [...volume.packs].filter(([pack]) => settled(roundOf(pack)));
  const needed = new Set<string>();
  try {
    for (const [round, fact] of volume.rounds) {
      if (fact.state === 'GivenUp') continue;
      if (closed.has(round)) removal.rounds.push(fact);
      else if (fact.state === 'Damaged') throw fact.error;
      else if (candidates.length > 0) await state.reach.add(fact.document, needed, state.signal);
    }
  } catch (error) {
    if (!(error instanceof TranshipError) || !['Integrity', 'NotFound'].includes(codeOf(error))) throw error;
    return { ...removal, rounds: [], damaged: error };
  }
  for (const [pack, bytes] of candidates) {
    if (!needed.has(pack)) removal.packs.push({ name: packName(state.lineage, volume.id, pack), bytes, modified: 0 });
  }
  return removal;
}

export function objectsOf(removal: Removal): StoredObject[] {
  return [
    ...removal.volumes.flatMap(({ rounds, packs }) => [...rounds, ...packs]),
    ...[...removal.sections.values()].flat(),
    ...removal.points.values(),
  ];
}

export function bytesOf(objects: readonly StoredObject[]): number {
  return objects.reduce((sum, { bytes }) => sum + bytes, 0);
}
