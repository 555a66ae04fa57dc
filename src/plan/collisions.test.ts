import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import type { Mapping } from '../api/plan.ts';
import { captured, ids, planOf, shop, stepOf, toStore } from './fixtures/shop.ts';
import { makePlan } from './plan.ts';

const map = (namespace: string, name = 'web'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: {},
});

test('objects of that name in the target namespace stand against the move and are listed', () => {
  const plan = planOf([map('shop'), map('shop', 'free')], { target: { existing: [map('store'), map('elsewhere', 'free')] } });
  assert.deepEqual(ids(plan, 'block'), ['ObjectsExist']);
  assert.match(
    plan.findings.find(({ id }) => id === 'ObjectsExist')?.message ?? '',
    /store on new already holds 1 of the objects: ConfigMap web\./,
  );
});

for (const [existing, action] of [
  ['Skip', 'Exists'],
  ['Update', 'Update'],
  ['Recreate', 'Recreate'],
] as const satisfies [Mapping['existing'], string][]) {
  test(`with ${existing} nothing stands against it, and the object gets the action ${action}`, () => {
    const plan = planOf([map('shop')], { mapping: { existing }, target: { existing: [map('store')] } });
    assert.deepEqual(ids(plan, 'block'), []);
    assert.equal(stepOf(plan, 'ConfigMap store/web').action, action);
  });
}

test('what this migration has created earlier is no collision', () => {
  const ours = map('store');
  ours.metadata.annotations = { 'tranship.io/migration': 'm' };
  const plan = planOf([map('shop')], { target: { existing: [ours] } });
  assert.deepEqual(ids(plan, 'block'), []);
  assert.equal(stepOf(plan, 'ConfigMap store/web').action, 'Create');
  ours.metadata.annotations = { 'tranship.io/migration': 'another' };
  assert.deepEqual(ids(planOf([map('shop')], { target: { existing: [ours] } }), 'block'), ['ObjectsExist']);
});

test('accounts are merged in every mode', () => {
  const account = (namespace: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace },
  });
  const plan = planOf([account('shop')], { target: { existing: [account('store')] } });
  assert.deepEqual(ids(plan, 'block'), []);
  assert.equal(stepOf(plan, 'ServiceAccount store/default').action, 'Merge');
});

test('a namespace that exists stays as it is', () => {
  const namespace = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { a: 'b' } } });
  const plan = planOf([namespace('shop')], { target: { existing: [namespace('store')] } });
  assert.deepEqual(ids(plan, 'block'), []);
  assert.equal(stepOf(plan, 'Namespace store').action, 'Exists');
});

test('a claim that is there is never touched, whatever the mapping says', () => {
  const base = shop();
  const claim: KubeObject = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'raw', namespace: 'store' } };
  const mapping = {
    namespaces: { shop: 'store' },
    storageClasses: { fast: 'standard' },
    nodePorts: 'Reset',
    dnsNames: true,
    existing: 'Recreate',
  } as const;
  const plan = makePlan({
    ...base,
    target: { ...base.target, existing: [...base.target.existing, claim] },
    mapping,
    options: { migration: 'm' },
  });
  assert.deepEqual(ids(plan, 'block'), ['ClaimExists']);
});

test('our own claim of an earlier try is no obstacle while it is unbound, nor when we have handed it over', () => {
  const base = shop();
  const blocksOf = (annotations: Record<string, string>, volumeName?: string) => {
    const claim: KubeObject = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'raw', namespace: 'store', annotations },
      spec: { ...(volumeName !== undefined && { volumeName }) },
    };
    const target = { ...base.target, existing: [...base.target.existing, claim] };
    const plan = makePlan({ ...base, target, mapping: toStore, options: { migration: 'm' } });
    return ids(plan, 'block');
  };
  const ours = { 'tranship.io/migration': 'm' };
  const asObject = { ...ours, 'tranship.io/manifest-hash': 'h' };
  assert.deepEqual(blocksOf(asObject), []);
  assert.deepEqual(blocksOf(ours, 'pv-copied'), []);
  // It got a volume of its own: what is in there is not our copy, and may have been written by the application.
  assert.deepEqual(blocksOf(asObject, 'pv-new'), ['ClaimExists']);
  assert.deepEqual(blocksOf({ 'tranship.io/migration': 'another' }), ['ObjectsExist']);
});

const role = (verb: string, labels?: Record<string, string>): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'reader', uid: 'u', ...(labels && { labels }) },
  rules: [{ verbs: [verb] }],
});

test('a cluster role that is there with the same content is left; with other content it stands against the move, unless it is shared', () => {
  const of = (there: KubeObject, shared: boolean) =>
    planOf([captured(role('get'), { role: 'related', shared })], { target: { existing: [there] } });
  assert.deepEqual(ids(of(role('get'), false), 'block'), []);
  assert.deepEqual(ids(of(role('list'), false), 'block'), ['ClusterObjectDiffers']);
  assert.deepEqual(ids(of(role('list'), true), 'block'), []);
  assert.deepEqual(ids(of(role('list'), true), 'warn'), ['SharedObjectDiffers']);
});

test('a role of the system is looked for on the target, never written', () => {
  const system = role('get', { 'kubernetes.io/bootstrapping': 'rbac-defaults' });
  const there = planOf([captured(system, { role: 'related', shared: true })], { target: { existing: [system] } });
  assert.equal(there.steps[0]?.action, 'Exists');
  assert.deepEqual(ids(planOf([captured(system, { role: 'related', shared: true })]), 'block'), ['SystemObjectMissing']);
});

test('claims of the target that we may not see stand against the move; other kinds are told as unknown', () => {
  const refused = (resource: string) => ({ group: '', resource, namespace: 'store', message: 'We may not.' });
  const made = planOf([], { target: { unread: [refused('persistentvolumeclaims'), refused('services')] } });
  const found = made.findings
    .filter(({ id }) => id === 'SurfaceNotReadable')
    .map(({ severity, subject, fix }) => [severity, subject?.name, fix]);
  assert.deepEqual(found, [
    ['block', 'store', 'Grant list on persistentvolumeclaims.'],
    ['unknown', 'store', 'Grant list on services.'],
  ]);
});
