/**
 * For tests only: the API servers that control-plane tests run against, named by TRANSHIP_TEST_KUBECONFIGS (paths, separated by colons;
 * `node testbed/main.ts light` starts them).
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../api/object.ts';
import { loadKubeconfig, openKube, resources, type KubeClient } from '../../kube/index.ts';

export const controlPlanes = (process.env['TRANSHIP_TEST_KUBECONFIGS'] ?? '').split(':').filter((path) => path !== '');

/** For `test(…, { skip })`: false when there are enough of them. */
export function skipWithout(count: number): string | false {
  return controlPlanes.length >= count ? false : `needs ${count} API servers in TRANSHIP_TEST_KUBECONFIGS: node testbed/main.ts light`;
}

/** A client for the nth control plane; the caller closes it. */
export function openControlPlane(index: number): KubeClient {
  const config = loadKubeconfig({ path: controlPlanes[index] ?? '' });
  return openKube(config.access(config.contexts()[0]?.name ?? ''), { name: `plane-${index}` });
}

/** Documents of a manifest file, as objects. */
export function manifests(path: URL): KubeObject[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as KubeObject); // JSON border
}

/** Creates objects as a user would, in their order; definitions are waited for. */
export async function createAll(client: KubeClient, objects: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  for (const object of objects) {
    const { resources: types } = await client.discover({ signal });
    const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
    const type = types.find((each) => each.group === group && each.kind === object.kind);
    if (type === undefined || version === undefined) throw new Error(`${client.name} does not serve ${object.kind}`);
    await client.create({ ...type, version }, object, { signal, fieldManager: 'a-user' });
    if (object.kind === 'CustomResourceDefinition') await until(async () => await serves(client, object.metadata.name, signal));
  }
}

async function serves(client: KubeClient, definition: string, signal: AbortSignal): Promise<boolean> {
  const { resources: types } = await client.discover({ signal, refresh: true });
  return types.some((type) => `${type.resource}.${type.group}` === definition);
}

/** Waits for a condition; the test's own time limit ends it. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

/** Binds a claim as a CSI driver would: there is none on an API server without nodes. */
export async function bindClaim(client: KubeClient, namespace: string, claim: string, signal: AbortSignal): Promise<void> {
  const object = await client.get(resources.persistentVolumeClaims, claim, namespace, { signal });
  const spec = object?.spec as { accessModes: string[]; volumeMode: string; storageClassName: string; resources: { requests: unknown } }; // JSON border
  const name = `pv-${namespace}-${claim}`;
  await client.create(
    resources.persistentVolumes,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        accessModes: spec.accessModes,
        volumeMode: spec.volumeMode,
        storageClassName: spec.storageClassName,
        capacity: spec.resources.requests,
        csi: { driver: 'csi.example.com', volumeHandle: name },
        claimRef: { namespace, name: claim },
      },
    },
    { signal },
  );
  // Named from both sides, the binder acts at once; from one side it looks again only every 15 s.
  await client.patch(
    resources.persistentVolumeClaims,
    claim,
    namespace,
    { type: 'merge', body: { spec: { volumeName: name } } },
    { signal },
  );
  await until(async () => {
    const now = await client.get(resources.persistentVolumeClaims, claim, namespace, { signal });
    return (now?.status as { phase?: string } | undefined)?.phase === 'Bound';
  });
}
