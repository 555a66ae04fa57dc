import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../src/api/object.ts';
import { migrationStatus } from '../src/api/migration.ts';
import { checkObjects, checkReport } from './objects.ts';

const move = { from: 'shop', to: 'shop-new', storageClasses: { fast: 'silver' } };
const none = new Map<string, string>();

function side(namespace: string, storageClassName: string, ip: string): KubeObject[] {
  const metadata = (name: string) => ({ name, namespace, uid: `${namespace}-${name}`, resourceVersion: '7' });
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { team: 'trade', 'kubernetes.io/metadata.name': namespace } },
      spec: { finalizers: ['kubernetes'] },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('settings'), data: { host: `postgres.${namespace}.svc`, note: 'a shop' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: metadata('postgres'), data: { password: 'c2VjcmV0' } },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: metadata('uploads'),
      spec: { storageClassName, volumeName: `pv-${namespace}` },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('web'),
      spec: { clusterIP: ip, clusterIPs: [ip], ports: [{ port: 80, nodePort: ip.length }] },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metadata('reader'),
      roleRef: { name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'web', namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      status: { phase: 'Running' },
      metadata: {
        ...metadata(`web-${ip}`),
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '1', controller: true }],
      },
    },
  ];
}
const source = () => side('shop', 'fast', '10.0.0.1');
const target = () => side('shop-new', 'silver', '10.1.0.22');

test('a move with its expected changes passes', () => {
  const check = checkObjects(source(), target(), move, none);
  assert.deepEqual(check.differences, []);
  assert.match(check.compared, /^7 of 7 kinds: 6 compared leaf by leaf, 1 made by controllers/);
});

test('a deleted object is found, unless the report gives a reason', () => {
  const less = target().filter((object) => object.kind !== 'ConfigMap');
  assert.deepEqual(checkObjects(source(), less, move, none).differences, [
    'ConfigMap shop-new/settings is not on the target, and no report says why',
  ]);
  assert.deepEqual(checkObjects(source(), less, move, new Map([['ConfigMap shop/settings', 'ExcludedByLabel']])).differences, []);
});

test('an object that the source never had is found', () => {
  const more = [...target(), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'left-over', namespace: 'shop-new' } }];
  assert.deepEqual(checkObjects(source(), more, move, none).differences, ['ConfigMap shop-new/left-over is only on the target']);
});

test('a leaf that a move need not change is a difference, and secrets are not printed', () => {
  const changed = target();
  changed[1]!['data'] = { host: 'postgres.shop-new.svc', note: 'another shop' };
  changed[2]!['data'] = { password: 'b3RoZXI=' };
  assert.deepEqual(checkObjects(source(), changed, move, none).differences, [
    'ConfigMap shop-new/settings: data/note: "a shop" became "another shop"',
    'Secret shop-new/postgres: data/password: a secret became a secret',
  ]);
});

test('what should have followed the rename and did not is a difference', () => {
  const stale = target();
  stale[1]!['data'] = { host: 'postgres.shop.svc', note: 'a shop' };
  stale[3]!['spec'] = { storageClassName: 'fast' };
  stale[5]!['subjects'] = [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }];
  assert.equal(checkObjects(source(), stale, move, none).differences.length, 3);
});

test('the report must agree with what was found, and must not hide a failure', () => {
  const volume = { name: 'shop/data', target: 'shop-new/data', mode: 'Filesystem', capacityBytes: 1, state: 'Bound' };
  const status = migrationStatus.parse({ objects: { Created: 4, Merged: 1, Planned: 5, LeftBehind: 9 }, volumes: [volume] });
  assert.deepEqual(checkReport(status, 6).differences, []);
  assert.equal(checkReport(status, 7).differences.length, 1);
  assert.equal(checkReport({ ...status, objects: { Created: 4, Failed: 1, Planned: 5 } }, 5).differences.length, 2);
  assert.equal(checkReport({ ...status, volumes: [{ ...status.volumes[0]!, state: 'Verified' }] }, 6).differences.length, 1);
  assert.notDeepEqual(checkReport(undefined, 6).differences, []);
});
