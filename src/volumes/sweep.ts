/** Removes everything of ours that a migration left on one cluster, found by label. Never the application, never the archive. */
import { migrationLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { codeOf } from '../errors.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { groupLabel, isOurs, ownSelector } from './marks.ts';
import { stagingNamespace } from './names.ts';
import { removeExactly, removeUnclaimed, removeWithStorage, waitGone } from './remove.ts';
import { groupKinds, removeGroupSnapshot, removeSnapshot } from './remove-snapshot.ts';
import { waitFor } from './wait.ts';

export interface SweepOptions {
  /** Name of the migration, when its mark is another: the staging namespace is called after it. */
  staging?: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Removes until nothing is left, and waits for that: a snapshot's content goes after its snapshot, and a request of ours that was cut may
 * still make something after we looked. Safe to call at any time, any number of times.
 * @param migration the mark of the migration
 */
export async function sweep(client: KubeClient, migration: string, options: SweepOptions): Promise<void> {
  const { signal, timeoutMs } = options;
  const staging = stagingNamespace(options.staging ?? migration);
  await removePass(client, migration, staging, signal);
  const there = await client.get(resources.namespaces, staging, undefined, { signal });
  if (there !== undefined && isOurs(there, migration)) {
    await removeExactly(client, resources.namespaces, there, { signal });
    const what = `Namespace ${staging} on ${client.name} did not go away`;
    await waitGone(client, resources.namespaces, there, { what, timeoutMs, signal });
  }
  let left: string[] = [];
  await waitFor(
    async () => {
      left = await removePass(client, migration, staging, signal);
      return left.length === 0 ? true : undefined;
    },
    {
      what: `What we had made on ${client.name} did not go away`,
      timeoutMs,
      signal,
      diagnose: () => Promise.resolve(left.slice(0, 10).join(', ')),
    },
  );
}

/** Movers first (they hold volumes), then claims, snapshots and their contents, volumes that nobody claims. Returns what was still there. */
async function removePass(client: KubeClient, migration: string, staging: string, signal: AbortSignal): Promise<string[]> {
  const seen: string[] = [];
  const each = async (
    resource: Resource,
    work: (object: KubeObject) => Promise<unknown>,
    labelSelector = ownSelector(migration),
  ): Promise<void> => {
    await forAll(client, resource, { labelSelector, signal }, async (object) => {
      const { namespace, name } = object.metadata;
      if ((await work(object)) !== false) seen.push(`${resource.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`);
    });
  };
  await each(resources.pods, (pod) => removeExactly(client, resources.pods, pod, { signal, gracePeriodSeconds: 1 }));
  await each(resources.networkPolicies, (policy) => removeExactly(client, resources.networkPolicies, policy, { signal }));
  // A claim that the application owns by now carries no label of ours; what carries it, we made.
  await each(resources.persistentVolumeClaims, (claim) =>
    claim.metadata.namespace === staging
      ? removeWithStorage(client, claim, signal)
      : removeExactly(client, resources.persistentVolumeClaims, claim, { signal }),
  );
  const groups = await groupKinds(client, signal);
  if (groups !== undefined) await each(groups.snapshots, (group) => removeGroupSnapshot(client, groups, group, signal));
  await each(resources.persistentVolumeClaims, (claim) => leaveGroup(client, claim, migration, signal), groupLabel);
  await each(resources.volumeSnapshots, (snapshot) => removeSnapshot(client, snapshot, signal));
  await each(resources.volumeSnapshotContents, (content) => removeExactly(client, resources.volumeSnapshotContents, content, { signal }));
  await each(resources.persistentVolumes, (volume) => removeUnclaimed(client, volume, signal), `${migrationLabel}=${migration}`);
  return seen;
}

/** A claim of the application that a group snapshot was about to choose when we were killed. False for one that another migration chose. */
async function leaveGroup(client: KubeClient, claim: KubeObject, migration: string, signal: AbortSignal): Promise<boolean> {
  if (claim.metadata.labels?.[groupLabel]?.startsWith(`${migration}.`) !== true) return false;
  const { name, namespace } = claim.metadata;
  const body = { metadata: { labels: { [groupLabel]: null } } };
  await client.patch(resources.persistentVolumeClaims, name, namespace, { type: 'merge', body }, { signal });
  return true;
}

/** Kinds that a credential may not see everywhere: who may not list them could not have made or moved one either. */
const mayBeHidden: ReadonlySet<string> = new Set(['NetworkPolicy', 'PersistentVolume', 'VolumeGroupSnapshot']);

async function forAll(
  client: KubeClient,
  resource: Resource,
  options: { labelSelector: string; signal: AbortSignal },
  work: (object: KubeObject) => Promise<void>,
): Promise<void> {
  try {
    for await (const object of client.list(resource, options)) await work(object);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'Forbidden' && mayBeHidden.has(resource.kind)) return;
    if (code !== 'NotFound') throw error; // the snapshot API is not served here: then nothing of it is ours
  }
}
