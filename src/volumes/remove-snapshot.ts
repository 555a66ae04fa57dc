/**
 * Removing snapshots that we took, and what they are in the storage system: with a class of policy Retain, deleting the object alone would
 * leave the rest there for ever. A content that stands for a handle (an exposure) keeps its policy: the snapshot behind it is another's.
 */
import { fieldAt, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import { codeOf } from '../errors.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { removeExactly } from './remove.ts';

/** The two kinds of group snapshots, in the version that a cluster prefers (v1 since external-snapshotter 8.6, v1beta2 and v1beta1 before). */
export interface GroupKinds {
  snapshots: Resource;
  contents: Resource;
}

/** Undefined where the cluster does not serve them. */
export async function groupKinds(client: KubeClient, signal: AbortSignal): Promise<GroupKinds | undefined> {
  const served = (await client.discover({ signal })).resources.filter(({ group }) => group === 'groupsnapshot.storage.k8s.io');
  const snapshots = served.find(({ kind }) => kind === 'VolumeGroupSnapshot');
  const contents = served.find(({ kind }) => kind === 'VolumeGroupSnapshotContent');
  return snapshots === undefined || contents === undefined ? undefined : { snapshots, contents };
}

/** @param snapshot a VolumeSnapshot of ours, also one that is not ready or not bound yet */
export async function removeSnapshot(client: KubeClient, snapshot: KubeObject, signal: AbortSignal): Promise<void> {
  await letContentGo(client, resources.volumeSnapshotContents, contentNameOf(snapshot), snapshot, signal);
  await removeExactly(client, resources.volumeSnapshots, snapshot, { signal });
}

/** Its members go with it: they cannot be deleted one by one. */
export async function removeGroupSnapshot(client: KubeClient, kinds: GroupKinds, group: KubeObject, signal: AbortSignal): Promise<void> {
  for await (const member of membersOf(client, group, signal)) {
    await letContentGo(client, resources.volumeSnapshotContents, contentNameOf(member), member, signal);
  }
  const { uid = '' } = group.metadata;
  const bound = textOf(fieldAt(group, 'status', 'boundVolumeGroupSnapshotContentName'));
  await letContentGo(client, kinds.contents, bound ?? `groupsnapcontent-${uid}`, group, signal);
  await removeExactly(client, kinds.snapshots, group, { signal });
}

/** The snapshots that a group consists of. */
export async function* membersOf(client: KubeClient, group: KubeObject, signal: AbortSignal): AsyncGenerator<KubeObject> {
  const { namespace = '', uid } = group.metadata;
  for await (const snapshot of client.list(resources.volumeSnapshots, { namespace, signal })) {
    if (snapshot.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true) yield snapshot;
  }
}

/** Between its making and its binding, a content is known by the name that the snapshot controller gives it. */
function contentNameOf(snapshot: KubeObject): string {
  return textOf(fieldAt(snapshot, 'status', 'boundVolumeSnapshotContentName')) ?? `snapcontent-${snapshot.metadata.uid ?? ''}`;
}

async function letContentGo(client: KubeClient, resource: Resource, name: string, owner: KubeObject, signal: AbortSignal): Promise<void> {
  const content = await client.get(resource, name, undefined, { signal });
  if (content === undefined || !staysBehind(content, owner)) return;
  const patch = { type: 'merge' as const, body: { spec: { deletionPolicy: 'Delete' } } };
  try {
    await client.patch(resource, name, undefined, patch, { signal });
  } catch (error) {
    if (codeOf(error) !== 'NotFound') throw error; // gone in between
  }
}

/** Pure: would it stay in the storage system, and was it taken for this very snapshot or group? */
export function staysBehind(content: KubeObject, owner: KubeObject): boolean {
  if (fieldAt(content, 'spec', 'deletionPolicy') !== 'Retain') return false;
  const taken = fieldAt(content, 'spec', 'source', 'volumeHandle') ?? fieldAt(content, 'spec', 'source', 'volumeHandles');
  const ref = fieldAt(content, 'spec', 'volumeSnapshotRef', 'uid') ?? fieldAt(content, 'spec', 'volumeGroupSnapshotRef', 'uid');
  return taken !== undefined && ref !== undefined && ref === owner.metadata.uid;
}
