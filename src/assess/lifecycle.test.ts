import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coversRelease, lifecycleOf, minorOf } from './lifecycle.ts';

test('removed, deprecated and current versions, with what replaces them', () => {
  assert.deepEqual(lifecycleOf('policy', 'v1beta1', 'PodDisruptionBudget', 'v1.36.3'), {
    state: 'removed',
    since: '1.25',
    replacement: 'policy/v1 PodDisruptionBudget',
  });
  assert.deepEqual(lifecycleOf('policy', 'v1beta1', 'PodDisruptionBudget', 'v1.24.9'), {
    state: 'deprecated',
    since: '1.21',
    replacement: 'policy/v1 PodDisruptionBudget',
  });
  assert.deepEqual(lifecycleOf('policy', 'v1', 'PodDisruptionBudget', 'v1.36.3'), { state: 'current' });
  assert.equal(lifecycleOf('extensions', 'v1beta1', 'Ingress', 'v1.22.0').state, 'removed');
  assert.equal(lifecycleOf('', 'v1', 'Pod', 'v1.36.0+k3s1').state, 'current');
});

test('beyond the release that the table covers, and for versions that it does not have, the answer is unknown', () => {
  assert.deepEqual(lifecycleOf('', 'v1', 'Pod', 'v1.999.0'), { state: 'unknown', why: 'release' });
  // What was removed before stays removed.
  assert.equal(lifecycleOf('extensions', 'v1beta1', 'Ingress', 'v1.999.0').state, 'removed');
  assert.deepEqual(lifecycleOf('policy', 'v7', 'PodDisruptionBudget', 'v1.36.3'), { state: 'unknown', why: 'version' });
  assert.deepEqual(lifecycleOf('', 'v1', 'Pod', 'something else'), { state: 'unknown', why: 'release' });
  assert.equal(minorOf('1.30+'), 30);
  assert.ok((minorOf(coversRelease) ?? 0) >= 36);
});
