import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migrationLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { resources } from '../kube/index.ts';
import { moveVolume } from './claim.ts';
import { fakeKube, refusal, type FakeKube } from './fake-kube.fixture.ts';
import { movingAnnotation } from './marks.ts';

const { persistentVolumeClaims: claims, persistentVolumes: volumes } = resources;
const { signal } = new AbortController();

function claimOf(namespace: string, name: string, more: { volumeName?: string; mark?: string } = {}): KubeObject {
  const annotations = more.mark === undefined ? {} : { annotations: { [migrationLabel]: more.mark } };
  const volumeName = more.volumeName === undefined ? {} : { volumeName: more.volumeName };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace, ...annotations }, spec: volumeName };
}

/** A cluster with a filled staging claim on volume pv-1, policy Delete. */
function filled(): FakeKube {
  const fake = fakeKube();
  const uid = fake.put(claims, claimOf('tranship-m', 'data-1', { volumeName: 'pv-1' }));
  const claimRef = { namespace: 'tranship-m', name: 'data-1', uid };
  const spec = { persistentVolumeReclaimPolicy: 'Delete', claimRef };
  fake.put(volumes, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv-1', labels: { zone: 'a' } }, spec });
  return fake;
}

async function move(fake: FakeKube, to = claimOf('shop', 'data', { mark: 'm' })): Promise<{ volume: string }> {
  return await moveVolume(fake.client, {
    migration: 'm',
    from: { namespace: 'tranship-m', name: 'data-1' },
    to,
    timeoutMs: 20_000,
    signal,
  });
}

function specOf(fake: FakeKube): { persistentVolumeReclaimPolicy?: string; claimRef?: { uid?: string } } {
  return fake.get(volumes, 'pv-1')?.['spec'] ?? {};
}

function volumeNameOf(fake: FakeKube): unknown {
  return (fake.get(claims, 'data', 'shop')?.['spec'] as { volumeName?: string } | undefined)?.volumeName;
}

test('a moved volume has its policy back and nothing of ours on it', async () => {
  const fake = filled();
  assert.deepEqual(await move(fake), { volume: 'pv-1' });
  assert.equal(volumeNameOf(fake), 'pv-1');
  assert.equal(fake.get(claims, 'data-1', 'tranship-m'), undefined);
  const volume = fake.get(volumes, 'pv-1');
  assert.deepEqual(volume?.metadata.labels, { zone: 'a' });
  assert.deepEqual(volume?.metadata.annotations, {});
  assert.equal(specOf(fake).persistentVolumeReclaimPolicy, 'Delete');
});

test('a move that was complete is found again, without a label', async () => {
  const fake = filled();
  await move(fake);
  assert.deepEqual(await move(fake), { volume: 'pv-1' });
  assert.equal(fake.get(volumes, 'pv-1')?.metadata.annotations?.[movingAnnotation], undefined);
});

test('somebody else’s claim on another volume is not taken for a complete move', async () => {
  const fake = fakeKube();
  fake.put(claims, claimOf('shop', 'data', { volumeName: 'pv-9', mark: 'other' }));
  fake.put(volumes, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv-9' }, spec: {} });
  await assert.rejects(move(fake), { code: 'NotFound' });
});

test('refusals that pass are waited for: they are not "exists already"', async () => {
  const fake = filled();
  fake.refusals.push(
    refusal(409, 'Conflict', 'Operation cannot be fulfilled on resourcequotas "a": the object has been modified'),
    refusal(403, 'Forbidden', 'status unknown for quota: a'),
    refusal(500, 'InternalError', 'failed calling webhook "a": connection refused'),
  );
  await move(fake);
  assert.equal(volumeNameOf(fake), 'pv-1');
});

test('a quota that is used up is final', async () => {
  const fake = filled();
  fake.refusals.push(refusal(403, 'Forbidden', 'exceeded quota: a'));
  await assert.rejects(move(fake), { code: 'Forbidden' });
});

test('an unbound claim of ours is made anew', async () => {
  const fake = filled();
  const before = fake.put(claims, claimOf('shop', 'data', { mark: 'm' }));
  await move(fake);
  assert.equal(volumeNameOf(fake), 'pv-1');
  assert.notEqual(fake.get(claims, 'data', 'shop')?.metadata.uid, before);
});

for (const [what, there] of [
  ['an unbound claim of another', claimOf('shop', 'data', { mark: 'other' })],
  ['an unbound claim of nobody', claimOf('shop', 'data')],
  ['a claim of ours on another volume', claimOf('shop', 'data', { mark: 'm', volumeName: 'pv-9' })],
] as const) {
  test(`${what} is left alone`, async () => {
    const fake = filled();
    const uid = fake.put(claims, there);
    await assert.rejects(move(fake), { code: 'Conflict' });
    assert.equal(fake.get(claims, 'data', 'shop')?.metadata.uid, uid);
  });
}

test('a reservation for a claim that is gone is renewed', async () => {
  const fake = filled();
  const spec = { persistentVolumeReclaimPolicy: 'Retain', claimRef: { namespace: 'shop', name: 'data', uid: 'gone' } };
  fake.put(volumes, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv-1' }, spec });
  await move(fake);
  assert.deepEqual(specOf(fake).claimRef, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data' });
});

test('taken back while the staging claim is on its way out: made anew, on the same volume', async () => {
  const fake = fakeKube();
  const dying = claimOf('shop', 'data', { mark: 'm', volumeName: 'pv-1' });
  dying.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  const uid = fake.put(claims, dying);
  const spec = { persistentVolumeReclaimPolicy: 'Retain', claimRef: { namespace: 'shop', name: 'data', uid } };
  fake.put(volumes, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv-1', labels: { [migrationLabel]: 'm' } }, spec });
  const { client } = fake;
  const seen: (string | undefined)[] = [];
  // The claim goes only after it was seen for the third time.
  const get: typeof client.get = async (resource, name, namespace) => {
    const there = await client.get(resource, name, namespace);
    if (name === 'data') seen.push(there?.metadata.deletionTimestamp);
    if (seen.length === 3) await client.delete(claims, 'data', 'shop', { uid });
    return there;
  };
  await move({ ...fake, client: { ...client, get } });
  assert.equal(fake.get(claims, 'data', 'shop')?.metadata.deletionTimestamp, undefined);
  assert.notEqual(fake.get(claims, 'data', 'shop')?.metadata.uid, uid);
  assert.equal(specOf(fake).claimRef?.uid, undefined);
  assert.equal(volumeNameOf(fake), 'pv-1');
});
