/** What the storage systems of the bed hold, by their own records: what the clusters have forgotten is seen here. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestBed } from '../../testbed/index.ts';

export interface Storage {
  /** `driver/id` */
  volumes: string[];
  snapshots: string[];
}

export function storageOf(bed: TestBed, side: 'source' | 'target'): Storage {
  const list = (kind: string) =>
    bed.clusters[side].drivers.flatMap(({ name }) =>
      readdirSync(join(bed.directory, 'state', side, 'csi', name, kind)).map((file) => `${name}/${file}`),
    );
  return { volumes: list('volumes').toSorted(), snapshots: list('snapshots').toSorted() };
}

/** Waits until a storage system holds no more than before: drivers delete after the objects are gone. The test's own limit ends it. */
export async function storageIsAsBefore(bed: TestBed, side: 'source' | 'target', before: Storage, signal: AbortSignal): Promise<void> {
  const more = (now: Storage) =>
    [...now.volumes, ...now.snapshots].filter((one) => ![...before.volumes, ...before.snapshots].includes(one));
  for (let left = more(storageOf(bed, side)); left.length > 0; left = more(storageOf(bed, side))) {
    if (signal.aborted) throw new Error(`still in the storage of ${side}: ${left.join(', ')}`);
    await delay(200);
  }
}
