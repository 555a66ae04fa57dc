import { migrationLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { isAlreadyExists, type KubeClient, type Resource } from '../kube/index.ts';
import { hintAbout } from './marks.ts';
import { retrying } from './retrying.ts';

/** How long a refusal that passes by itself (quota not counted, namespace just made, webhook not up, …) is waited for. */
const retryForMs = 30_000;

/**
 * Creates an object of ours, or returns the one that an earlier run of us created.
 * @throws Conflict for an object of that name that another one made: we never adopt what is not ours
 */
export async function createOrGet(client: KubeClient, resource: Resource, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
  return await retrying(() => getOrCreate(client, resource, object, signal), { timeoutMs: retryForMs, signal });
}

async function getOrCreate(client: KubeClient, resource: Resource, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
  const { name, namespace } = object.metadata;
  for (;;) {
    const there = await client.get(resource, name, namespace, { signal });
    if (there !== undefined) return checked(client, object, there);
    try {
      return await client.create(resource, object, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error; // made in between: looked at again
    }
  }
}

function checked(client: KubeClient, object: KubeObject, there: KubeObject): KubeObject {
  const { name, namespace, labels } = object.metadata;
  const mine = labels?.[migrationLabel] ?? '';
  if ((there.metadata.labels?.[migrationLabel] ?? '') === mine) return there;
  throw new TranshipError(
    'Conflict',
    `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name} on ${client.name} exists and is not ours.`,
    { hint: hintAbout(there, mine) },
  );
}
