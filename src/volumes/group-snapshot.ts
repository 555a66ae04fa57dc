/**
 * Snapshot of several claims of one namespace at one time, where the driver and the cluster offer it. The API chooses its volumes by a label on
 * their claims, so each claim carries one of ours for as long as that takes.
 */
import { createHash } from 'node:crypto';
import { fieldAt, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { createOrGet } from './create.ts';
import { groupLabel, isOurs, ownLabels } from './marks.ts';
import { groupKinds, membersOf, removeGroupSnapshot } from './remove-snapshot.ts';
import { readySnapshot, type TakenSnapshot } from './snapshot.ts';
import { waitFor } from './wait.ts';

export interface GroupWant {
  migration: string;
  namespace: string;
  /** At least two, of one driver. */
  claims: readonly string[];
  /** Of the group; the same at every run. */
  name: string;
  groupSnapshotClass: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Takes the snapshots, or goes on with the group of that name, and waits until all of them are usable.
 * @returns by claim
 * @throws Unsupported when the cluster does not serve group snapshots, or the driver does not take them; TimedOut
 */
export async function takeGroupSnapshot(client: KubeClient, want: GroupWant): Promise<Map<string, TakenSnapshot>> {
  const { namespace, name, signal } = want;
  const kinds = await groupKinds(client, signal);
  if (kinds === undefined) throw new TranshipError('Unsupported', `${client.name} does not serve group snapshots.`);
  const chosen = `${want.migration}.${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
  const { group, version } = kinds.snapshots;
  const manifest: KubeObject = {
    apiVersion: `${group}/${version}`,
    kind: 'VolumeGroupSnapshot',
    metadata: { name, namespace, labels: ownLabels(want.migration) },
    spec: { volumeGroupSnapshotClassName: want.groupSnapshotClass, source: { selector: { matchLabels: { [groupLabel]: chosen } } } },
  };
  try {
    await labelClaims(client, want, chosen);
    const made = await createOrGet(client, kinds.snapshots, manifest, signal);
    return await waitFor(
      async () => {
        const there = await client.get(kinds.snapshots, name, namespace, { signal });
        if (there === undefined)
          throw new TranshipError('NotFound', `Group snapshot ${namespace}/${name} was removed while we waited for it.`);
        refuse(there);
        return fieldAt(there, 'status', 'readyToUse') === true ? await readyMembers(client, made, want) : undefined;
      },
      {
        what: `The group snapshot ${namespace}/${name} on ${client.name} did not become ready`,
        timeoutMs: want.timeoutMs,
        signal,
        diagnose: async () => errorOf(await client.get(kinds.snapshots, name, namespace, { signal })) ?? 'the driver has not answered yet',
      },
    );
  } finally {
    if (!signal.aborted) await labelClaims(client, want, null); // else the next run does, or the sweep
  }
}

/** Removes a group of ours with all its snapshots, here and in the storage system. It may be gone already. */
export async function dropGroupSnapshot(
  client: KubeClient,
  what: { migration: string; namespace: string; name: string; signal: AbortSignal },
): Promise<void> {
  const { namespace, name, signal } = what;
  const kinds = await groupKinds(client, signal);
  const there = kinds === undefined ? undefined : await client.get(kinds.snapshots, name, namespace, { signal });
  if (kinds === undefined || there === undefined || !isOurs(there, what.migration)) return;
  await removeGroupSnapshot(client, kinds, there, signal);
}

async function labelClaims(client: KubeClient, { namespace, claims, signal }: GroupWant, value: string | null): Promise<void> {
  const body = { metadata: { labels: { [groupLabel]: value } } };
  for (const claim of claims) await client.patch(resources.persistentVolumeClaims, claim, namespace, { type: 'merge', body }, { signal });
}

function errorOf(group: KubeObject | undefined): string | undefined {
  return textOf(fieldAt(group, 'status', 'error', 'message'));
}

/** A driver that answers so will never take one: there is nothing to wait for. */
function refuse(group: KubeObject): void {
  const said = errorOf(group);
  if (said !== undefined && /code = Unimplemented/i.test(said))
    throw new TranshipError('Unsupported', `The driver takes no group snapshots: ${said}`);
}

/** All claims of the group, or undefined as long as one is missing: members are made after the group says that it is ready. */
async function readyMembers(client: KubeClient, group: KubeObject, want: GroupWant): Promise<Map<string, TakenSnapshot> | undefined> {
  const found = new Map<string, TakenSnapshot>();
  for await (const member of membersOf(client, group, want.signal)) {
    const claim = textOf(fieldAt(member, 'spec', 'source', 'persistentVolumeClaimName')) ?? '';
    const taken = await readySnapshot(client, member, want.signal);
    if (taken !== undefined) found.set(claim, taken);
  }
  return want.claims.every((claim) => found.has(claim)) ? found : undefined;
}
