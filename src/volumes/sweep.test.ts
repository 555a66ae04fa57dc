import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migrationLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { resources, type Resource } from '../kube/index.ts';
import { createOrGet } from './create.ts';
import { fakeKube, refusal, type FakeKube } from './fake-kube.fixture.ts';
import { movingAnnotation, ownLabels } from './marks.ts';
import { removeMover, removeMovers } from './mover-pod.ts';
import { stagingNamespace, volumeName } from './names.ts';
import { removeExactly } from './remove.ts';
import { dropSnapshot } from './snapshot.ts';
import { ensureStaging } from './staging.ts';
import { sweep } from './sweep.ts';

const { persistentVolumeClaims: claims, persistentVolumes: volumes, pods, namespaces } = resources;
const { signal } = new AbortController();

function made(resource: Resource, name: string, namespace: string | undefined, migration: string, spec: object = {}): KubeObject {
  const labels = { ...ownLabels(migration), 'app.kubernetes.io/component': 'mover' };
  return { apiVersion: 'v1', kind: resource.kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels }, spec };
}

function policyOf(fake: FakeKube): unknown {
  const spec: { persistentVolumeReclaimPolicy?: string } = fake.get(volumes, 'pv')?.['spec'] ?? {};
  return spec.persistentVolumeReclaimPolicy;
}

/** A claim of migration m on volume pv, which has policy Retain. */
function withClaim(
  namespace: string,
  volume: { annotations?: Record<string, string>; labels?: Record<string, string>; uid?: string } = {},
): FakeKube {
  const fake = fakeKube();
  const uid = fake.put(claims, made(claims, 'data', namespace, 'm', { volumeName: 'pv' }));
  const claimRef = { namespace, name: 'data', uid: volume.uid ?? uid };
  const spec = { persistentVolumeReclaimPolicy: 'Retain', claimRef };
  const { annotations = {}, labels = {} } = volume;
  fake.put(volumes, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv', annotations, labels }, spec });
  return fake;
}

test('sweep: the storage of a staging claim goes with it', async () => {
  const fake = withClaim('tranship-m');
  await sweep(fake.client, 'm', { timeoutMs: 1000, signal });
  assert.equal(policyOf(fake), 'Delete');
  assert.equal(fake.get(claims, 'data', 'tranship-m'), undefined);
});

test('dropSnapshot: the storage of the claim goes with it', async () => {
  const fake = withClaim('tranship-m');
  await dropSnapshot(fake.client, { staging: 'tranship-m', name: 'data', namespace: 'shop', signal });
  assert.equal(policyOf(fake), 'Delete');
  assert.equal(fake.get(claims, 'data', 'tranship-m'), undefined);
});

test('dropSnapshot: leaves what is another migration’s', async () => {
  const fake = withClaim('tranship-m');
  await dropSnapshot(fake.client, { staging: 'tranship-m', name: 'data', namespace: 'shop', signal, migration: 'other' });
  assert.deepEqual(fake.calls, []);
});

test('sweep: a volume left in the middle of a move goes when nobody claims it, and stays with the claim that it was made for', async () => {
  const moving = { annotations: { [movingAnnotation]: 'shop/data' }, labels: { [migrationLabel]: 'm' } };
  const left = withClaim('tranship-m', moving);
  await sweep(left.client, 'm', { timeoutMs: 1000, signal });
  assert.equal(left.get(volumes, 'pv'), undefined);

  const reserved = fakeKube();
  const spec = { persistentVolumeReclaimPolicy: 'Retain', claimRef: { namespace: 'shop', name: 'data' } };
  reserved.put(volumes, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv', ...moving }, spec });
  await sweep(reserved.client, 'm', { timeoutMs: 1000, signal });
  assert.equal(reserved.get(volumes, 'pv'), undefined, 'the claim it is reserved for was never made');

  const handedOver = fakeKube();
  handedOver.put(claims, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'shop' } });
  handedOver.put(volumes, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv', ...moving }, spec });
  await sweep(handedOver.client, 'm', { timeoutMs: 1000, signal });
  assert.equal(policyOf(handedOver), 'Retain');
});

for (const [what, fake] of [
  [
    'in the middle of a move, of which nothing says that it is ours',
    withClaim('tranship-m', { annotations: { [movingAnnotation]: 'shop/data' } }),
  ],
  ['of another claim by now', withClaim('tranship-m', { uid: 'another' })],
  ['outside the staging namespace', withClaim('shop')],
] as const) {
  test(`sweep: a volume ${what} is never touched`, async () => {
    await sweep(fake.client, 'm', { timeoutMs: 1000, signal });
    assert.equal(policyOf(fake), 'Retain');
  });
}

test('sweep: a credential that may not list kinds of which we made none is no obstacle', async () => {
  const fake = fakeKube();
  fake.put(pods, made(pods, 'mover', 'shop', 'm'));
  const list: typeof fake.client.list = (resource, options) => {
    if (['NetworkPolicy', 'PersistentVolume'].includes(resource.kind)) throw refusal(403, 'Forbidden', `may not list ${resource.resource}`);
    return fake.client.list(resource, options);
  };
  await sweep({ ...fake.client, list }, 'm', { timeoutMs: 1000, signal });
  assert.deepEqual(fake.calls, ['delete pods shop/mover']);
});

test('sweep: only this migration’s, and the staging namespace is called after its name', async () => {
  const fake = fakeKube();
  for (const mark of ['m.1', 'm.2']) fake.put(pods, made(pods, `pod-${mark}`, 'shop', mark));
  fake.put(namespaces, made(namespaces, 'tranship-m', undefined, 'm.1'));
  await sweep(fake.client, 'm.1', { staging: 'm', timeoutMs: 1000, signal });
  assert.deepEqual(fake.calls, ['delete pods shop/pod-m.1', 'delete namespaces tranship-m']);
});

test('removeMover: another migration’s pod is left alone and not waited for', async () => {
  const fake = fakeKube();
  fake.put(pods, made(pods, 'mover', 'shop', 'other'));
  await removeMover(fake.client, 'shop', 'mover', signal, 'm');
  assert.deepEqual(fake.calls, []);
  await removeMover(fake.client, 'shop', 'mover', signal, 'other');
  assert.deepEqual(fake.calls, ['delete pods shop/mover']);
});

test('removeMovers: all of this migration in this namespace', async () => {
  const fake = fakeKube();
  for (const [namespace, name, mark] of [
    ['shop', 'a', 'm'],
    ['shop', 'b', 'm'],
    ['shop', 'c', 'other'],
    ['else', 'd', 'm'],
  ] as const)
    fake.put(pods, made(pods, name, namespace, mark));
  await removeMovers(fake.client, 'shop', 'm', signal);
  assert.deepEqual(fake.calls, ['delete pods shop/a', 'delete pods shop/b']);
});

test('an object that was made anew under the same name is not deleted for the old one', async () => {
  const fake = fakeKube();
  fake.put(pods, made(pods, 'mover', 'shop', 'm'));
  const old = { ...made(pods, 'mover', 'shop', 'm') };
  old.metadata.uid = 'old';
  await removeExactly(fake.client, pods, old, { signal });
  assert.deepEqual(fake.calls, []);
});

test('createOrGet: waits for a quota, and names the migration that is in the way', async () => {
  const fake = fakeKube();
  fake.refusals.push(refusal(409, 'Conflict', 'Operation cannot be fulfilled on resourcequotas "a"'));
  await createOrGet(fake.client, pods, made(pods, 'mover', 'shop', 'm'), signal);
  assert.equal(fake.calls.length, 2);
  const hintFor = async (mark: string): Promise<unknown> =>
    await createOrGet(fake.client, pods, made(pods, 'mover', 'shop', mark), signal).catch((error: { hint?: string }) => error.hint);
  assert.equal(await hintFor('other.1'), 'It belongs to migration m: tranship cancel m, or wait for it.');
  assert.match(String(await hintFor('m.1')), /called m too/);
});

test('ensureStaging: called after the name, marked with the mark', async () => {
  const fake = fakeKube();
  assert.equal(await ensureStaging(fake.client, 'm', signal, 'm.1'), 'tranship-m');
  assert.equal(await ensureStaging(fake.client, 'm', signal, 'm.1'), 'tranship-m');
  await assert.rejects(ensureStaging(fake.client, 'm', signal, 'm.2'), { code: 'Conflict' });
});

test('names: the same without a migration, apart with two', () => {
  assert.equal(stagingNamespace('m'), 'tranship-m');
  assert.equal(volumeName('shop/data'), volumeName('shop/data', ''));
  assert.equal(new Set([volumeName('shop/data'), volumeName('shop/data', 'a'), volumeName('shop/data', 'b')]).size, 3);
});
