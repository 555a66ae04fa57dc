import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { selects } from './closure.ts';
import { bindsNamespace, referencesOf } from './edges.ts';

const type = (group: string, kind: string) => ({
  group,
  version: 'v1',
  resource: 'x',
  kind,
  namespaced: true,
  verbs: [],
  versions: ['v1'],
});

test('a workload needs its classes', () => {
  const cron: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'a' },
    spec: { jobTemplate: { spec: { template: { spec: { priorityClassName: 'high', runtimeClassName: 'gvisor' } } } } },
  };
  assert.deepEqual(
    referencesOf(cron, type('batch', 'CronJob')).map(({ kind, name }) => `${kind} ${name}`),
    ['PriorityClass high', 'RuntimeClass gvisor'],
  );
});

test('a role binding needs a cluster role only when it names one', () => {
  const binding = (kind: string): KubeObject => ({
    apiVersion: 'x',
    kind: 'RoleBinding',
    metadata: { name: 'a' },
    roleRef: { kind, name: 'edit' },
  });
  const RBAC = type('rbac.authorization.k8s.io', 'RoleBinding');
  assert.equal(referencesOf(binding('ClusterRole'), RBAC).length, 1);
  assert.equal(referencesOf(binding('Role'), RBAC).length, 0);
});

test('a binding belongs to a namespace by its accounts, their group or their user name', () => {
  const of = (...subjects: Record<string, string>[]) =>
    bindsNamespace({ apiVersion: 'x', kind: 'ClusterRoleBinding', metadata: { name: 'a' }, subjects }, new Set(['shop']));
  assert.deepEqual(of({ kind: 'ServiceAccount', name: 'a', namespace: 'shop' }), { inside: true, outside: false });
  assert.deepEqual(of({ kind: 'Group', name: 'system:serviceaccounts:shop' }), { inside: true, outside: false });
  assert.deepEqual(of({ kind: 'User', name: 'system:serviceaccount:shop:a' }), { inside: true, outside: false });
  assert.deepEqual(of({ kind: 'Group', name: 'system:serviceaccounts' }), { inside: false, outside: true });
  assert.deepEqual(of({ kind: 'ServiceAccount', name: 'a', namespace: 'shop' }, { kind: 'User', name: 'jane' }), {
    inside: true,
    outside: true,
  });
});

test('label selectors select as Kubernetes does', () => {
  const object: KubeObject = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a', labels: { tier: 'db' } } };
  const by = (...matchExpressions: unknown[]) => selects({ matchExpressions }, object);
  assert.ok(selects({ matchLabels: { tier: 'db' } }, object));
  assert.ok(!selects({ matchLabels: { tier: 'web' } }, object));
  assert.ok(by({ key: 'tier', operator: 'In', values: ['db', 'web'] }));
  assert.ok(!by({ key: 'tier', operator: 'NotIn', values: ['db'] }));
  assert.ok(by({ key: 'other', operator: 'NotIn', values: ['db'] }));
  assert.ok(by({ key: 'tier', operator: 'Exists' }, { key: 'other', operator: 'DoesNotExist' }));
});
