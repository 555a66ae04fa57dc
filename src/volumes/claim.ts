/**
 * Claims on the target: made in the staging namespace, filled there, and then moved. Moving a volume between claims: set its policy to
 * Retain, delete the old claim, point claimRef at the new one, create that, put the policy back. Each effect can be made twice; the
 * old policy is written on the volume before it is changed.
 */
import { migrationLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { isAlreadyExists, resources, type KubeClient } from '../kube/index.ts';
import { createOrGet } from './create.ts';
import { isOurs, movingAnnotation, ownLabels, policyAnnotation } from './marks.ts';
import { removeExactly, waitGone } from './remove.ts';
import { retrying } from './retrying.ts';
import { waitFor } from './wait.ts';

/** The claim that is filled in the staging namespace; its shape comes from the claim that the application will get. */
export async function stagingClaim(
  client: KubeClient,
  want: { migration: string; staging: string; name: string; like: KubeObject; signal: AbortSignal },
): Promise<KubeObject> {
  const spec = want.like['spec'] as { accessModes: string[]; volumeMode?: string; storageClassName?: string; resources: unknown };
  return await createOrGet(
    client,
    resources.persistentVolumeClaims,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: want.name, namespace: want.staging, labels: ownLabels(want.migration) },
      spec: {
        accessModes: spec.accessModes,
        volumeMode: spec.volumeMode ?? 'Filesystem',
        ...(spec.storageClassName === undefined ? {} : { storageClassName: spec.storageClassName }),
        resources: spec.resources,
      },
    },
    want.signal,
  );
}

interface VolumeSpec {
  persistentVolumeReclaimPolicy: string;
  claimRef?: { namespace: string; name: string; uid?: string };
}

function specOf(volume: KubeObject): VolumeSpec {
  return volume['spec'] as VolumeSpec;
}

function volumeNameOf(claim: KubeObject | undefined): string | undefined {
  return (claim?.['spec'] as { volumeName?: string } | undefined)?.volumeName;
}

interface Move {
  migration: string;
  from: { namespace: string; name: string };
  to: KubeObject;
  timeoutMs: number;
  signal: AbortSignal;
}

/** What is written on the new claim when we made it. The plan's mark may differ from ours where a claim goes back to the staging namespace. */
function markOn(want: Move): string {
  return want.to.metadata.annotations?.[migrationLabel] ?? want.migration;
}

/**
 * Moves the volume behind one claim to another claim, in another namespace. No pod may use it.
 * @param to the whole new claim, without volumeName
 * @throws Conflict when the new claim exists and is bound to another volume
 */
export async function moveVolume(client: KubeClient, want: Move): Promise<{ volume: string }> {
  const { from, signal } = want;
  const toNamespace = want.to.metadata.namespace ?? '';
  const destination = `${toNamespace}/${want.to.metadata.name}`;
  const volume = await volumeToMove(client, want, destination);

  // 1. Keep the volume when its claim goes. The old policy is recorded in the same write.
  const spec = specOf(volume);
  const before = volume.metadata.annotations?.[policyAnnotation] ?? spec.persistentVolumeReclaimPolicy;
  const name = volume.metadata.name;
  await client.patch(
    resources.persistentVolumes,
    name,
    undefined,
    {
      type: 'merge',
      body: {
        // The label is what a later run finds the volume by when no claim names it any more.
        metadata: {
          labels: { [migrationLabel]: want.migration },
          annotations: { [policyAnnotation]: before, [movingAnnotation]: destination },
        },
        spec: { persistentVolumeReclaimPolicy: 'Retain' },
      },
    },
    { signal },
  );
  // 2. The old claim goes; the volume is Released but still names it.
  const old = await client.get(resources.persistentVolumeClaims, from.name, from.namespace, { signal });
  if (old !== undefined) await removeClaim(client, old, want);
  // 3. Reserve it for the new claim, unless that is bound to it already.
  const destinationUid = await livingUid(client, want);
  const now = await client.get(resources.persistentVolumes, name, undefined, { signal });
  const ref = now === undefined ? undefined : specOf(now).claimRef;
  const named = ref !== undefined && `${ref.namespace}/${ref.name}` === destination;
  // With the uid of a claim that is gone, the volume would never be bound again.
  if (!named || (ref.uid !== undefined && ref.uid !== destinationUid)) {
    const claimRef = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: toNamespace,
      name: want.to.metadata.name,
      uid: null,
      resourceVersion: null,
    };
    await client.patch(resources.persistentVolumes, name, undefined, { type: 'merge', body: { spec: { claimRef } } }, { signal });
  }
  // 4. The new claim, bound by name.
  await bindTo(client, want, name);
  // 5. As it was, with nothing of ours on it.
  await client.patch(
    resources.persistentVolumes,
    name,
    undefined,
    {
      type: 'merge',
      body: {
        metadata: { labels: { [migrationLabel]: null }, annotations: { [policyAnnotation]: null, [movingAnnotation]: null } },
        spec: { persistentVolumeReclaimPolicy: before },
      },
    },
    { signal },
  );
  return { volume: name };
}

/** The volume of the old claim; or, when an earlier run got further, the one that is marked as moving there or bound there. */
async function volumeToMove(client: KubeClient, want: Move, destination: string): Promise<KubeObject> {
  const { migration, from, to, signal } = want;
  const claim = await client.get(resources.persistentVolumeClaims, from.name, from.namespace, { signal });
  const atSource = await volumeOfClaim(client, claim, signal);
  if (atSource !== undefined) return atSource;
  for await (const volume of client.list(resources.persistentVolumes, { labelSelector: `${migrationLabel}=${migration}`, signal })) {
    const ref = specOf(volume).claimRef;
    if (volume.metadata.annotations?.[movingAnnotation] === destination) return volume;
    if (ref !== undefined && `${ref.namespace}/${ref.name}` === destination) return volume;
  }
  // Moved to the end: nothing of ours is on the volume any more, but the new claim is ours and names it.
  const moved = await client.get(resources.persistentVolumeClaims, to.metadata.name, to.metadata.namespace, { signal });
  const atDestination = isOurs(moved, markOn(want)) ? await volumeOfClaim(client, moved, signal) : undefined;
  if (atDestination !== undefined) return atDestination;
  throw new TranshipError(
    'NotFound',
    `The volume that was filled for ${destination} is no longer there (claim ${from.namespace}/${from.name} on ${client.name}).`,
    { hint: 'Cancel this migration and start it again under another name.' },
  );
}

async function volumeOfClaim(client: KubeClient, claim: KubeObject | undefined, signal: AbortSignal): Promise<KubeObject | undefined> {
  const name = volumeNameOf(claim);
  return name === undefined ? undefined : await client.get(resources.persistentVolumes, name, undefined, { signal });
}

/** The uid of the new claim when it is there to stay. One of ours that is on its way out is waited for, until it is gone. */
async function livingUid(client: KubeClient, want: Move): Promise<string | undefined> {
  const { name, namespace } = want.to.metadata;
  const there = await client.get(resources.persistentVolumeClaims, name, namespace, { signal: want.signal });
  if (there?.metadata.deletionTimestamp === undefined || !isOurs(there, markOn(want))) return there?.metadata.uid;
  await goneClaim(client, there, want);
  return undefined;
}

/** Removes a claim and waits until it is gone: the cluster keeps it as long as a pod uses it. */
async function removeClaim(client: KubeClient, claim: KubeObject, want: Move): Promise<void> {
  await removeExactly(client, resources.persistentVolumeClaims, claim, { signal: want.signal });
  await goneClaim(client, claim, want);
}

async function goneClaim(client: KubeClient, claim: KubeObject, { timeoutMs, signal }: Move): Promise<void> {
  const { name, namespace } = claim.metadata;
  const what = `Claim ${namespace ?? ''}/${name} on ${client.name} did not go away (does a pod still use it?)`;
  await waitGone(client, resources.persistentVolumeClaims, claim, { what, timeoutMs, signal, intervalMs: 100 });
}

/** Makes the new claim, bound by name. A refusal that passes by itself (quota not counted, namespace just made, …) is waited for. */
async function bindTo(client: KubeClient, want: Move, volume: string): Promise<void> {
  const { timeoutMs, signal } = want;
  const { name, namespace } = want.to.metadata;
  await retrying(() => makeBound(client, want, volume), { timeoutMs, signal });
  await waitFor(
    async () => {
      const there = await client.get(resources.persistentVolumeClaims, name, namespace, { signal });
      return (there?.['status'] as { phase?: string } | undefined)?.phase === 'Bound' ? true : undefined;
    },
    { what: `Claim ${namespace}/${name} on ${client.name} was not bound to volume ${volume}`, timeoutMs, signal, intervalMs: 100 },
  );
}

async function makeBound(client: KubeClient, want: Move, volume: string): Promise<void> {
  const { to, signal } = want;
  const { name, namespace } = to.metadata;
  const manifest = { ...to, spec: { ...(to['spec'] as object), volumeName: volume } };
  for (;;) {
    try {
      await client.create(resources.persistentVolumeClaims, manifest, { signal });
      return;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const there = await client.get(resources.persistentVolumeClaims, name, namespace, { signal });
    if (there === undefined) continue;
    const bound = volumeNameOf(there);
    if (bound === volume) return;
    if (bound !== undefined || !isOurs(there, markOn(want))) {
      throw new TranshipError(
        'Conflict',
        `Claim ${namespace}/${name} on ${client.name} exists already and is ${bound === undefined ? 'not bound' : `bound to ${bound}`}.`,
        { hint: 'Contents of existing claims are never touched: remove it, or move into another namespace.' },
      );
    }
    // Ours, and without a volume: made by an earlier run that did not name one. What a claim is bound to cannot be said later.
    await removeClaim(client, there, want);
  }
}
