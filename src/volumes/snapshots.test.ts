import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ResourceType } from '../api/object.ts';
import { resources } from '../kube/index.ts';
import { fakeKube, type FakeKube } from './fake-kube.fixture.ts';
import { dropGroupSnapshot, takeGroupSnapshot } from './group-snapshot.ts';
import { groupLabel, ownLabels } from './marks.ts';
import { dropSnapshot } from './snapshot.ts';
import { sweep } from './sweep.ts';

const { volumeSnapshots: snapshots, volumeSnapshotContents: contents, persistentVolumeClaims: claims } = resources;
const { signal } = new AbortController();
const snapshotApi = 'snapshot.storage.k8s.io/v1';

function kindOf(kind: string, resource: string, namespaced: boolean): ResourceType {
  const versions = ['v1beta2', 'v1beta1'];
  return { group: 'groupsnapshot.storage.k8s.io', version: 'v1beta2', resource, kind, namespaced, verbs: [], versions };
}
const groups = kindOf('VolumeGroupSnapshot', 'volumegroupsnapshots', true);
const groupContents = kindOf('VolumeGroupSnapshotContent', 'volumegroupsnapshotcontents', false);

/** A snapshot of ours of claim shop/data, taken by a class of that policy. */
function taken(deletionPolicy: string, source: object = { volumeHandle: 'vol-1' }): FakeKube {
  const fake = fakeKube();
  const labels = ownLabels('m');
  const uid = fake.put(snapshots, {
    apiVersion: snapshotApi,
    kind: 'VolumeSnapshot',
    metadata: { name: 'data', namespace: 'shop', labels },
  });
  const spec = { deletionPolicy, source, volumeSnapshotRef: { uid } };
  fake.put(contents, { apiVersion: snapshotApi, kind: 'VolumeSnapshotContent', metadata: { name: `snapcontent-${uid}` }, spec });
  return fake;
}

function policiesOf(fake: FakeKube): unknown[] {
  return fake.all(contents).map(({ spec }) => (spec as { deletionPolicy: string }).deletionPolicy);
}

const removals: [string, (fake: FakeKube) => Promise<void>][] = [
  ['sweep', async (fake) => await sweep(fake.client, 'm', { timeoutMs: 1000, signal })],
  ['dropSnapshot', async (fake) => await dropSnapshot(fake.client, { staging: 'tranship-m', name: 'data', namespace: 'shop', signal })],
];

for (const [how, remove] of removals) {
  test(`${how}: a snapshot of a class with policy Retain is not left in the storage system, also when it was never ready`, async () => {
    const fake = taken('Retain');
    await remove(fake);
    assert.equal(fake.get(snapshots, 'data', 'shop'), undefined);
    assert.deepEqual(policiesOf(fake), ['Delete'], 'so the driver removes it');
  });

  test(`${how}: the content of a handle keeps its policy: the snapshot behind it is another's`, async () => {
    const fake = taken('Retain', { snapshotHandle: 'snap-1' });
    await remove(fake);
    assert.deepEqual(policiesOf(fake), ['Retain']);
  });
}

/** The snapshot controller: answers a group that is created with its members, one per claim that carries the group's label. */
function controlled(answer: (group: KubeObject, fake: FakeKube) => object): FakeKube {
  const fake = fakeKube([groups, groupContents]);
  for (const name of ['data', 'logs', 'other'])
    fake.put(claims, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'shop' } });
  const { client } = fake;
  const create: typeof client.create = async (resource, object, options) => {
    const made = await client.create(resource, object, options);
    if (resource.kind === 'VolumeGroupSnapshot') {
      const { name, namespace } = object.metadata;
      const there = fake.get(groups, name, namespace) ?? object;
      fake.put(groups, { ...there, status: answer(there, fake) });
    }
    return made;
  };
  return { ...fake, client: { ...client, create } };
}

function makeMembers(group: KubeObject, fake: FakeKube): object {
  const { selector } = (group['spec'] as { source: { selector: { matchLabels: Record<string, string> } } }).source;
  for (const claim of fake.all(claims)) {
    if (claim.metadata.labels?.[groupLabel] !== selector.matchLabels[groupLabel]) continue;
    const name = `snapshot-${claim.metadata.name}`;
    const owner = { apiVersion: group.apiVersion, kind: group.kind, name: group.metadata.name, uid: group.metadata.uid ?? '' };
    const uid = fake.put(snapshots, {
      apiVersion: snapshotApi,
      kind: 'VolumeSnapshot',
      metadata: { name, namespace: 'shop', ownerReferences: [owner] },
      spec: { source: { persistentVolumeClaimName: claim.metadata.name } },
      status: { readyToUse: true, boundVolumeSnapshotContentName: `content-${name}` },
    });
    const spec = { deletionPolicy: 'Retain', driver: 'csi', source: { volumeHandle: claim.metadata.name }, volumeSnapshotRef: { uid } };
    const status = { snapshotHandle: `handle-${claim.metadata.name}`, restoreSize: 7 };
    fake.put(contents, { apiVersion: snapshotApi, kind: 'VolumeSnapshotContent', metadata: { name: `content-${name}` }, spec, status });
  }
  return { readyToUse: true };
}

const want = { migration: 'm.1', namespace: 'shop', claims: ['data', 'logs'], name: 'g', groupSnapshotClass: 'c', timeoutMs: 1000, signal };

function labelled(fake: FakeKube): string[] {
  return fake.all(claims).flatMap(({ metadata }) => (metadata.labels?.[groupLabel] === undefined ? [] : [metadata.name]));
}

test('takeGroupSnapshot: exactly these claims, in the version that is served, and no label stays on them', async () => {
  const fake = controlled(makeMembers);
  const found = await takeGroupSnapshot(fake.client, want);
  assert.deepEqual(
    [...found].map(([claim, { handle, restoreBytes }]) => [claim, handle, restoreBytes]),
    [
      ['data', 'handle-data', 7],
      ['logs', 'handle-logs', 7],
    ],
  );
  assert.deepEqual(labelled(fake), []);
  assert.equal(fake.get(groups, 'g', 'shop')?.apiVersion, 'groupsnapshot.storage.k8s.io/v1beta2');
  await dropGroupSnapshot(fake.client, { migration: 'm.2', namespace: 'shop', name: 'g', signal });
  assert.notEqual(fake.get(groups, 'g', 'shop'), undefined, 'another migration’s is left alone');
  await dropGroupSnapshot(fake.client, { migration: 'm.1', namespace: 'shop', name: 'g', signal });
  assert.equal(fake.get(groups, 'g', 'shop'), undefined);
  assert.deepEqual(policiesOf(fake), ['Delete', 'Delete'], 'policy Retain of the class does not leave the members behind');
});

test('takeGroupSnapshot: declined at once by a driver without groups, and where they are not served', async () => {
  const message = 'rpc error: code = Unimplemented desc = unknown service csi.v1.GroupController';
  const refusing = controlled(() => ({ error: { message } }));
  await assert.rejects(takeGroupSnapshot(refusing.client, want), { code: 'Unsupported' });
  assert.deepEqual(labelled(refusing), []);
  await assert.rejects(takeGroupSnapshot(fakeKube().client, want), { code: 'Unsupported' });
});

test('sweep: a group that was being taken when we were killed, and the labels that chose its claims', async () => {
  const fake = controlled(makeMembers);
  const labels = { [groupLabel]: 'm.1.12345678' };
  const theirs = { [groupLabel]: 'm.2.12345678' };
  fake.put(claims, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'shop', labels } });
  fake.put(claims, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'other', namespace: 'shop', labels: theirs } });
  const metadata = { name: 'g', namespace: 'shop', labels: ownLabels('m.1') };
  fake.put(groups, { apiVersion: 'groupsnapshot.storage.k8s.io/v1beta2', kind: 'VolumeGroupSnapshot', metadata });
  await sweep(fake.client, 'm.1', { timeoutMs: 1000, signal });
  assert.equal(fake.get(groups, 'g', 'shop'), undefined);
  assert.deepEqual(labelled(fake), ['other']);
});
