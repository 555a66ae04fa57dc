import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captured } from '../../plan/fixtures/shop.ts';
import { assessCase, found, thing } from '../fixtures/sides.ts';

test('a binding of the target for the same role is extended, one for another role is in the way', () => {
  const binding = (role: string, namespace: string) =>
    thing(
      'ClusterRoleBinding',
      'readers',
      {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'ServiceAccount', name: 'app', namespace }],
      },
      'rbac.authorization.k8s.io/v1',
    );
  const over = (role: string) =>
    assessCase({ objects: [captured(binding('view', 'shop'))], target: { surface: { existing: [binding(role, 'else')] } } });
  assert.equal(found(over('view'), 'BindingExtended'), 'info BindingExtended');
  assert.equal(found(over('edit'), 'BindingExtended'), '');
  assert.equal(found(over('edit'), 'ClusterObjectDiffers'), 'block ClusterObjectDiffers');
});
