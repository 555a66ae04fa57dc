/** Removes everything of ours that a migration left on one cluster, found by label. Never the application, never the archive. */
import type { KubeObject } from '../api/object.ts';
import { codeOf } from '../errors.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { isOurs, ownSelector } from './marks.ts';
import { stagingNamespace } from './names.ts';
import { removeExactly, removeWithStorage, waitGone } from './remove.ts';
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

/** Movers first (they hold volumes), then claims, snapshots and their contents. Returns what was still there. */
async function removePass(client: KubeClient, migration: string, staging: string, signal: AbortSignal): Promise<string[]> {
  const seen: string[] = [];
  const each = async (resource: Resource, work: (object: KubeObject) => Promise<unknown>): Promise<void> => {
    await forAll(client, resource, migration, signal, async (object) => {
      seen.push(
        `${resource.kind} ${object.metadata.namespace === undefined ? '' : `${object.metadata.namespace}/`}${object.metadata.name}`,
      );
      await work(object);
    });
  };
  await each(resources.pods, (pod) => removeExactly(client, resources.pods, pod, { signal, gracePeriodSeconds: 1 }));
  // A claim that the application owns by now carries no label of ours; what carries it, we made.
  await each(resources.persistentVolumeClaims, (claim) =>
    claim.metadata.namespace === staging
      ? removeWithStorage(client, claim, signal)
      : removeExactly(client, resources.persistentVolumeClaims, claim, { signal }),
  );
  for (const resource of [resources.volumeSnapshots, resources.volumeSnapshotContents]) {
    await each(resource, (object) => removeExactly(client, resource, object, { signal }));
  }
  return seen;
}

async function forAll(
  client: KubeClient,
  resource: Resource,
  migration: string,
  signal: AbortSignal,
  work: (object: KubeObject) => Promise<void>,
): Promise<void> {
  try {
    for await (const object of client.list(resource, { labelSelector: ownSelector(migration), signal })) await work(object);
  } catch (error) {
    if (codeOf(error) !== 'NotFound') throw error; // the snapshot API is not served here: then nothing of it is ours
  }
}
