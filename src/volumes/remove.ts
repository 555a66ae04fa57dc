/** Removing exactly what was seen: never an object that somebody made under the same name in between. */
import { randomUUID } from 'node:crypto';
import type { KubeObject } from '../api/object.ts';
import { codeOf } from '../errors.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { movingAnnotation } from './marks.ts';
import { retrying } from './retrying.ts';
import { waitFor } from './wait.ts';

const lockForMs = 30_000;

/** Deletes this very object. That it is gone, or another one by now, is as good. */
export async function removeExactly(
  client: KubeClient,
  resource: Resource,
  object: KubeObject,
  options: { signal: AbortSignal; gracePeriodSeconds?: number },
): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  try {
    await client.delete(resource, name, namespace, { ...options, ...(uid === undefined ? {} : { uid }) });
  } catch (error) {
    if (codeOf(error) !== 'Conflict') throw error;
    const there = await client.get(resource, name, namespace, { signal: options.signal });
    if (there !== undefined && there.metadata.uid === uid) throw error;
  }
}

/** Waits until this very object is gone. @throws TimedOut with `what` */
export async function waitGone(
  client: KubeClient,
  resource: Resource,
  object: KubeObject,
  options: { what: string; timeoutMs: number; signal: AbortSignal; intervalMs?: number },
): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  await waitFor(async () => {
    const there = await client.get(resource, name, namespace, { signal: options.signal });
    return there === undefined || there.metadata.uid !== uid ? true : undefined;
  }, options);
}

/**
 * Removes a staging claim of ours and the storage behind it: with a class of policy Retain, deleting the claim alone would leave the volume
 * in the storage system for ever. A volume in the middle of a move keeps its policy: it holds the application's data.
 * @param claim one that we made, in our staging namespace; never one of the application
 */
export async function removeWithStorage(client: KubeClient, claim: KubeObject, signal: AbortSignal): Promise<void> {
  const { volumeName } = (claim['spec'] ?? {}) as { volumeName?: string };
  if (volumeName !== undefined) await retrying(() => letStorageGo(client, volumeName, claim, signal), { timeoutMs: lockForMs, signal });
  await removeExactly(client, resources.persistentVolumeClaims, claim, { signal });
}

async function letStorageGo(client: KubeClient, name: string, claim: KubeObject, signal: AbortSignal): Promise<void> {
  const volume = await client.get(resources.persistentVolumes, name, undefined, { signal });
  if (volume === undefined || !goesWith(volume, claim)) return;
  // Bound to what was read: a move that begins at this moment wins.
  const body = { metadata: { resourceVersion: volume.metadata.resourceVersion }, spec: { persistentVolumeReclaimPolicy: 'Delete' } };
  await client.patch(resources.persistentVolumes, name, undefined, { type: 'merge', body }, { signal });
}

/** Pure: is the volume this very claim's, would it stay behind, and is it not on its way to another claim? */
export function goesWith(volume: KubeObject, claim: KubeObject): boolean {
  const spec = volume['spec'] as { persistentVolumeReclaimPolicy?: string; claimRef?: { namespace: string; name: string; uid?: string } };
  const ref = spec.claimRef;
  if (volume.metadata.annotations?.[movingAnnotation] !== undefined || spec.persistentVolumeReclaimPolicy === 'Delete') return false;
  if (ref?.uid === undefined || ref.uid !== claim.metadata.uid) return false;
  return ref.namespace === claim.metadata.namespace && ref.name === claim.metadata.name;
}

/**
 * Removes a volume that was left in the middle of a move, with its storage: its old claim is gone, and the new one was never made. A volume that
 * a claim has, or waits for, is left alone.
 * @param volume one with our label: only volumes in the middle of a move have it
 * @returns whether there is something to wait for
 */
export async function removeUnclaimed(client: KubeClient, volume: KubeObject, signal: AbortSignal): Promise<boolean> {
  const { claimRef } = volume['spec'] as { claimRef?: { namespace: string; name: string; uid?: string } };
  if (claimRef !== undefined) {
    const claim = await client.get(resources.persistentVolumeClaims, claimRef.name, claimRef.namespace, { signal });
    if (claim !== undefined && (claimRef.uid === undefined || claim.metadata.uid === claimRef.uid)) return false;
  }
  const { name, resourceVersion } = volume.metadata;
  // A reservation for nobody would be kept for ever: with the uid of a claim that is gone, the volume is released, and then reclaimed.
  const released = {
    ...claimRef,
    namespace: claimRef?.namespace ?? 'default',
    name: claimRef?.name ?? name,
    uid: claimRef?.uid ?? randomUUID(),
  };
  const body = { metadata: { resourceVersion }, spec: { persistentVolumeReclaimPolicy: 'Delete', claimRef: released } };
  try {
    await client.patch(resources.persistentVolumes, name, undefined, { type: 'merge', body }, { signal });
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'Conflict' && code !== 'NotFound') throw error; // changed or gone since it was listed: looked at again
  }
  return true;
}
