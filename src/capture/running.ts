/** The pods that a freeze can't stop, from the lists of a capture; where these look odd, the objects themselves are asked once more. */
import type { CapturedObject } from '../api/captured.ts';
import { refOf, type KubeObject, type ResourceType } from '../api/object.ts';
import { resources } from '../kube/index.ts';
import { inParallel } from './listing.ts';
import { readOne, type Reader } from './reading.ts';
import { controllerOf, judgeStopping, type Stopping } from './stopping.ts';

/**
 * @param listed everything that was read
 * @throws when the server fails for longer than the reader's patience
 */
export async function readStopping(
  reader: Reader,
  pods: readonly KubeObject[],
  listed: readonly KubeObject[],
  selected: readonly CapturedObject[],
  types: readonly ResourceType[],
): Promise<Stopping> {
  const known = new Map(listed.flatMap((object) => (object.metadata.uid === undefined ? [] : [[object.metadata.uid, object] as const])));
  const uids = new Set(selected.flatMap(({ object }) => object.metadata.uid ?? []));
  const claims = new Set(
    selected
      .filter(({ object, resource }) => object.kind === 'PersistentVolumeClaim' && resource.group === '')
      .map(({ object: { metadata } }) => `${metadata.namespace ?? ''}/${metadata.name}`),
  );
  const first = judgeStopping(pods, known, uids, claims);
  const hidden = first.unstoppable.some(({ owners }) => owners.length > 0);
  if (!hidden) return first;
  // The lists are not of one moment: a job that began between two of them has a pod and no owner, and a pod may be gone by now.
  const doubtful = new Set(first.unstoppable.map(({ pod }) => `${pod.namespace ?? ''}/${pod.name}`));
  const now = await inParallel(pods, reader.signal, async (pod, signal) => {
    const { name, namespace } = pod.metadata;
    if (!doubtful.has(`${namespace ?? ''}/${name}`)) return pod;
    const again = { ...reader, signal };
    const reading = await readOne(again, resources.pods, name, namespace);
    const fresh = 'value' in reading ? reading.value : pod;
    if (fresh !== undefined) await readOwners(again, fresh, known, types);
    return fresh;
  });
  return judgeStopping(
    now.filter((pod) => pod !== undefined),
    known,
    uids,
    claims,
  );
}

/** Adds the owners that no list had: of kinds that are not listed, cluster-scoped, or younger than their list. */
async function readOwners(reader: Reader, pod: KubeObject, known: Map<string, KubeObject>, types: readonly ResourceType[]): Promise<void> {
  for (let here: KubeObject | undefined = pod, depth = 0; here !== undefined && depth < 5; depth += 1) {
    const reference = controllerOf(here);
    if (reference === undefined) return;
    let owner = known.get(reference.uid);
    if (owner === undefined) {
      const { group, kind, name } = refOf({ apiVersion: reference.apiVersion, kind: reference.kind, metadata: { name: reference.name } });
      const type = types.find((each) => each.group === group && each.kind === kind);
      if (type === undefined) return;
      const reading = await readOne(reader, type, name, type.namespaced ? pod.metadata.namespace : undefined);
      owner = 'value' in reading ? reading.value : undefined;
      if (owner?.metadata.uid !== reference.uid) return;
      known.set(reference.uid, owner);
    }
    here = owner;
  }
}
