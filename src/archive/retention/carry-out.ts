/** The deletions themselves, in an order that a reader and the next run can live with: rounds, packs, sections, and at last the restore points. */
import type { TranshipError } from '../../errors.ts';
import { hiddenName, parseStored } from '../names.ts';
import type { Vault } from '../vault.ts';
import type { Facts, StoredObject } from './facts.ts';
import type { Removal } from './removal.ts';
import { bytesOf, objectsOf } from './removal.ts';
import type { RetentionOptions } from './retention.ts';

export interface Refusal {
  object: string;
  bytes: number;
  error: TranshipError;
}

/** Objects per call: what one request of S3 takes, and how far a Ctrl-C has to wait. */
const batch = 1000;

/** @returns what went, what the store refused, and the restore points whose deletion is finished */
export async function carryOut(
  vault: Vault,
  facts: Facts,
  removal: Removal,
  options: Pick<RetentionOptions, 'onProgress' | 'signal'>,
): Promise<{ gone: StoredObject[]; refused: Refusal[]; finished: Set<string> }> {
  const all = objectsOf(removal);
  const gone: StoredObject[] = [];
  const refused: Refusal[] = [];
  const remove = async (objects: readonly StoredObject[]): Promise<void> => {
    for (let from = 0; from < objects.length; from += batch) {
      const some = objects.slice(from, from + batch);
      const errors = new Map(
        (
          await vault.location.deleteMany(
            some.map(({ name }) => name),
            options.signal,
          )
        ).map(({ name, error }) => [name, error]),
      );
      for (const object of some) {
        const error = errors.get(object.name);
        if (error === undefined) gone.push(object);
        else refused.push({ object: object.name, bytes: object.bytes, error });
      }
      options.onProgress?.({
        phase: 'delete',
        objects: gone.length,
        ofObjects: all.length,
        bytes: bytesOf(gone),
        ofBytes: bytesOf(all),
      });
    }
  };
  // A reader that finds no round is told so at once; packs without rounds are found again by the next run.
  await remove(removal.volumes.flatMap(({ rounds }) => rounds));
  await remove(removal.volumes.flatMap(({ packs }) => packs));
  await remove([...removal.sections.values()].flat());
  const finished = finishedPoints(vault, facts, removal, refused);
  await remove([...removal.points].flatMap(([id, object]) => (finished.has(id) ? [object] : [])));
  for (const { object } of refused) {
    const stored = parseStored(vault.lineage, object);
    if (stored?.kind === 'point') finished.delete(stored.point);
  }
  return { gone, refused, finished };
}

/** A restore point of which something could not be deleted stays listed as being deleted. */
function finishedPoints(vault: Vault, facts: Facts, removal: Removal, refused: readonly Refusal[]): Set<string> {
  const held = new Set<string>();
  for (const { object } of refused) {
    const stored = parseStored(vault.lineage, object);
    if (stored !== undefined) held.add('volume' in stored ? stored.volume : stored.point);
  }
  const finished = new Set<string>();
  for (const id of removal.points.keys()) {
    const point = facts.points.get(id);
    const volumes = point?.state === 'Committed' ? point.document.volumes : [];
    if (!held.has(id) && !volumes.some(({ volume }) => held.has(hiddenName(vault.key, 'volume', volume)))) finished.add(id);
  }
  return finished;
}
