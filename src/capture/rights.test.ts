import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindsNamespace } from './rights.ts';

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
