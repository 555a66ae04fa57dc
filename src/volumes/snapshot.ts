/**
 * Snapshot of a claim, and its exposure in the staging namespace by handle: a second VolumeSnapshotContent with policy Retain that
 * points to the same snapshot of the storage system, a VolumeSnapshot bound to it, and a claim made from that.
 */
import { managedBy, managedByLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { createOrGet } from './create.ts';
import { isOurs, ownLabels } from './marks.ts';
import { removeExactly, removeWithStorage } from './remove.ts';
import { removeSnapshot } from './remove-snapshot.ts';
import { waitFor } from './wait.ts';

const snapshotApi = 'snapshot.storage.k8s.io/v1';

export interface TakenSnapshot {
  namespace: string;
  name: string;
  handle: string;
  driver: string;
  restoreBytes: number;
}

interface SnapshotStatus {
  readyToUse?: boolean;
  boundVolumeSnapshotContentName?: string;
  restoreSize?: string;
  error?: { message?: string };
}

/** Takes a snapshot, or goes on with the one of that name, and waits until the storage system says that it is usable. */
export async function takeSnapshot(
  client: KubeClient,
  want: {
    migration: string;
    namespace: string;
    claim: string;
    name: string;
    snapshotClass: string;
    timeoutMs: number;
    signal: AbortSignal;
  },
): Promise<TakenSnapshot> {
  const { namespace, name, signal } = want;
  await createOrGet(
    client,
    resources.volumeSnapshots,
    {
      apiVersion: snapshotApi,
      kind: 'VolumeSnapshot',
      metadata: { name, namespace, labels: ownLabels(want.migration) },
      spec: { volumeSnapshotClassName: want.snapshotClass, source: { persistentVolumeClaimName: want.claim } },
    },
    signal,
  );
  return await waitFor(
    async () => {
      const snapshot = await client.get(resources.volumeSnapshots, name, namespace, { signal });
      if (snapshot === undefined) throw new TranshipError('NotFound', `Snapshot ${namespace}/${name} was removed while we waited for it.`);
      return await readySnapshot(client, snapshot, signal);
    },
    {
      what: `The snapshot of claim ${namespace}/${want.claim} did not become ready`,
      timeoutMs: want.timeoutMs,
      signal,
      diagnose: async () => snapshotError(await client.get(resources.volumeSnapshots, name, namespace, { signal })),
    },
  );
}

/**
 * What the storage system calls it, once it is usable.
 * @throws Unsupported when the driver reports no handle
 */
export async function readySnapshot(client: KubeClient, snapshot: KubeObject, signal: AbortSignal): Promise<TakenSnapshot | undefined> {
  const { name, namespace = '' } = snapshot.metadata;
  const { readyToUse, boundVolumeSnapshotContentName: bound } = (snapshot['status'] ?? {}) as SnapshotStatus;
  if (readyToUse !== true || bound === undefined) return undefined;
  const content = await client.get(resources.volumeSnapshotContents, bound, undefined, { signal });
  if (content === undefined) return undefined;
  const { driver } = content['spec'] as { driver: string };
  const status = content['status'] as { snapshotHandle?: string; restoreSize?: number } | undefined;
  if (status?.snapshotHandle === undefined) {
    throw new TranshipError('Unsupported', `Driver ${driver} reports no handle for the snapshot ${namespace}/${name}.`);
  }
  return { namespace, name, handle: status.snapshotHandle, driver, restoreBytes: status.restoreSize ?? 0 };
}

function snapshotError(snapshot: KubeObject | undefined): string {
  const status = (snapshot?.['status'] ?? {}) as SnapshotStatus;
  return status.error?.message ?? "the driver has not answered yet; look at the snapshot controller and the driver's csi-snapshotter";
}

/** Makes the snapshot usable in the staging namespace. Returns the name of the claim made from it (equal to `name`). */
export async function exposeSnapshot(
  client: KubeClient,
  want: {
    migration: string;
    staging: string;
    name: string;
    snapshot: TakenSnapshot;
    mode: 'Filesystem' | 'Block';
    storageClass: string | undefined;
    capacityBytes: number;
    timeoutMs: number;
    signal: AbortSignal;
  },
): Promise<string> {
  const { staging, name, signal } = want;
  const labels = ownLabels(want.migration);
  const contentName = `${staging}-${name}`;
  await createOrGet(
    client,
    resources.volumeSnapshotContents,
    {
      apiVersion: snapshotApi,
      kind: 'VolumeSnapshotContent',
      metadata: { name: contentName, labels },
      spec: {
        deletionPolicy: 'Retain', // the snapshot belongs to the VolumeSnapshot in the application's namespace
        driver: want.snapshot.driver,
        source: { snapshotHandle: want.snapshot.handle },
        sourceVolumeMode: want.mode,
        volumeSnapshotRef: { name, namespace: staging },
      },
    },
    signal,
  );
  await createOrGet(
    client,
    resources.volumeSnapshots,
    {
      apiVersion: snapshotApi,
      kind: 'VolumeSnapshot',
      metadata: { name, namespace: staging, labels },
      spec: { source: { volumeSnapshotContentName: contentName } },
    },
    signal,
  );
  // A claim made before the snapshot is bound fails once in the provisioner and then waits for its back-off.
  await waitFor(
    async () => {
      const there = await client.get(resources.volumeSnapshots, name, staging, { signal });
      return ((there?.['status'] ?? {}) as SnapshotStatus).readyToUse === true ? true : undefined;
    },
    {
      what: `The exposed snapshot ${staging}/${name} on ${client.name} did not become ready`,
      timeoutMs: want.timeoutMs,
      signal,
      intervalMs: 100,
    },
  );
  await createOrGet(
    client,
    resources.persistentVolumeClaims,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: staging, labels },
      spec: {
        accessModes: ['ReadWriteOnce'],
        volumeMode: want.mode,
        ...(want.storageClass === undefined ? {} : { storageClassName: want.storageClass }),
        resources: { requests: { storage: String(Math.max(want.capacityBytes, want.snapshot.restoreBytes)) } },
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name },
      },
    },
    signal,
  );
  return name;
}

/**
 * Removes one exposure, the storage of the claim made from it, and the snapshot behind it. Everything may be gone already.
 * @param what.migration when given, objects of those names that are not this migration's are left alone; else those that are nobody's of us
 */
export async function dropSnapshot(
  client: KubeClient,
  what: { staging: string; name: string; namespace: string; signal: AbortSignal; migration?: string },
): Promise<void> {
  const { staging, name, namespace, signal } = what;
  const mine = async (resource: Resource, objectName: string, place?: string): Promise<KubeObject | undefined> => {
    const there = await client.get(resource, objectName, place, { signal });
    const ours = what.migration === undefined ? there?.metadata.labels?.[managedByLabel] === managedBy : isOurs(there, what.migration);
    return ours ? there : undefined;
  };
  const claim = await mine(resources.persistentVolumeClaims, name, staging);
  if (claim !== undefined) await removeWithStorage(client, claim, signal);
  const exposed = await mine(resources.volumeSnapshots, name, staging);
  if (exposed !== undefined) await removeExactly(client, resources.volumeSnapshots, exposed, { signal });
  const content = await mine(resources.volumeSnapshotContents, `${staging}-${name}`);
  if (content !== undefined) await removeExactly(client, resources.volumeSnapshotContents, content, { signal });
  const taken = await mine(resources.volumeSnapshots, name, namespace);
  if (taken !== undefined) await removeSnapshot(client, taken, signal);
}
