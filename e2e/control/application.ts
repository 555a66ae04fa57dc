/** An application on an API server without nodes: objects and a claim that is bound to a CSI volume by hand. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeObject } from '../../src/api/object.ts';
import { resources, type KubeClient } from '../../src/kube/index.ts';

/** Another name in every run: one that was killed does not disturb the next. */
export const run = randomBytes(3).toString('hex');

export interface Application {
  namespace: string;
  /** On the source only. */
  storageClass: string;
  /** On the target only. */
  targetStorageClass: string;
  /** A namespace of the target that holds a ConfigMap of the same name, and a PodDisruptionBudget. */
  takenNamespace: string;
  remove(): Promise<void>;
}

export async function putApplication(source: KubeClient, target: KubeClient, signal: AbortSignal): Promise<Application> {
  const namespace = `shop-${run}`;
  const app = { namespace, storageClass: `fast-${run}`, targetStorageClass: `premium-${run}`, takenNamespace: `taken-${run}` };
  const settings = (where: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: where },
    data: { a: 'b' },
  });
  const storageClass = (name: string): KubeObject => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'csi.example.com',
  });
  const volume = `pv-${run}`;

  for (const [client, name] of [
    [source, namespace],
    [target, app.takenNamespace],
  ] as const) {
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { signal });
    await client.create(resources.configMaps, settings(name), { signal });
  }
  await target.create(
    resources.podDisruptionBudgets,
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: app.takenNamespace },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    },
    { signal },
  );
  await source.create(resources.storageClasses, storageClass(app.storageClass), { signal });
  await target.create(resources.storageClasses, storageClass(app.targetStorageClass), { signal });
  const claimed = { accessModes: ['ReadWriteOnce'], storageClassName: app.storageClass, volumeMode: 'Filesystem' };
  await source.create(
    resources.persistentVolumes,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume },
      spec: {
        ...claimed,
        capacity: { storage: '1Gi' },
        csi: { driver: 'csi.example.com', volumeHandle: run },
        claimRef: { namespace, name: 'data' },
      },
    },
    { signal },
  );
  await source.create(
    resources.persistentVolumeClaims,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace },
      spec: { ...claimed, resources: { requests: { storage: '1Gi' } } },
    },
    { signal },
  );
  await settled(source, namespace, signal);
  return {
    ...app,
    async remove() {
      await source.delete(resources.namespaces, namespace);
      await source.delete(resources.persistentVolumes, volume);
      await source.delete(resources.storageClasses, app.storageClass);
      await target.delete(resources.namespaces, app.takenNamespace);
      await target.delete(resources.storageClasses, app.targetStorageClass);
    },
  };
}

/** The claim is bound and the namespace has what the control plane puts into it: from now on nothing changes by itself. */
async function settled(client: KubeClient, namespace: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const claim = await client.get(resources.persistentVolumeClaims, 'data', namespace, { signal });
    const account = await client.get(resources.serviceAccounts, 'default', namespace, { signal });
    if (account !== undefined && JSON.stringify(claim?.['status'] ?? {}).includes('Bound')) return;
    await pause(50, undefined, { signal });
  }
}
