/** Putting images into the nodes of a running bed. */
import type { Image } from '../images/index.ts';
import { importImages } from '../node/containerd.ts';
import { providePieces, type Work } from '../pieces/index.ts';
import type { BedCluster, TestBed } from './bed.ts';
import { writeBed } from './files.ts';
import { loadKindImages } from './kind.ts';
import { minorOf } from './versions.ts';
import { resolveImages } from './wanted-images.ts';

/**
 * Puts images into both nodes of a running bed; those that are there already are left out. Returns the bed as it is then (also in its file).
 *
 * @example bed = await loadImages(bed, ['postgres', './my-image.tar'], { signal, onProgress })
 */
export async function loadImages(bed: TestBed, wanted: readonly string[], work: Work): Promise<TestBed> {
  const known = new Set(bed.images.map(({ tar }) => tar));
  const missing = (await resolveImages(wanted, work)).filter(({ tar }) => !known.has(tar));
  if (missing.length === 0) return bed;
  await Promise.all(
    Object.values(bed.clusters).map((cluster) => {
      work.onProgress(`${cluster.name}: importing ${missing.map(({ ref }) => ref).join(', ')}`);
      return importInto(bed, cluster, missing, work);
    }),
  );
  const changed: TestBed = { ...bed, images: [...bed.images, ...missing] };
  await writeBed(changed);
  return changed;
}

async function importInto(bed: TestBed, cluster: BedCluster, images: readonly Image[], work: Work): Promise<void> {
  if (cluster.process === undefined) return loadKindImages(bed.id, cluster.name, images, work.signal);
  const pieces = await providePieces({ level: 'nodes', kubernetes: minorOf(cluster.version), ...work });
  const tars = images.map(({ tar }) => tar);
  await importImages({ nodeName: cluster.nodeName, pieces }, cluster.process.pid, tars, work.signal);
}
