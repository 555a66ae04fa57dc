/** Which images a caller means. */
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { TranshipError } from '../../src/errors.ts';
import { provideImages, type Image, type ImageName } from '../images/index.ts';
import type { Work } from '../pieces/index.ts';

/** Names of `testbed/images` are made; words with a slash are paths of OCI tars. */
export async function resolveImages(wanted: readonly string[], work: Work): Promise<Image[]> {
  const names = wanted.filter((word) => !word.includes('/')).map(nameOf);
  const made: Image[] = names.length === 0 ? [] : Object.values(await provideImages(names, work));
  return [...made, ...wanted.filter((word) => word.includes('/')).map(imageAt)];
}

const known: readonly ImageName[] = ['pause', 'busybox', 'coredns', 'postgres', 'tranship', 'demo-web'];

function nameOf(word: string): ImageName {
  const name = known.find((one) => one === word);
  if (name !== undefined) return name;
  throw new TranshipError('InvalidInput', `There is no image "${word}".`, {
    hint: `Known: ${known.join(', ')}; or the path of an OCI tar, with a slash.`,
  });
}

function imageAt(path: string): Image {
  const index = spawnSync('tar', ['-xOf', path, 'index.json'], { encoding: 'utf8' });
  if (index.status !== 0) throw new TranshipError('InvalidInput', `${path} is not a tar of an OCI image: it has no index.json.`);
  const { manifests = [] } = JSON.parse(index.stdout) as { manifests?: { annotations?: Record<string, string> }[] };
  const ref = manifests[0]?.annotations?.['io.containerd.image.name'];
  if (ref === undefined) throw new TranshipError('InvalidInput', `The image in ${path} has no name (annotation io.containerd.image.name).`);
  return { ref, tar: realpathSync(path) };
}
