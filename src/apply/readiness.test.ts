import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { restarting } from './pods.ts';
import { WAITED } from './readiness.ts';

function missing(kind: string, spec: unknown, status: unknown): string | undefined {
  const object: KubeObject = { apiVersion: 'x', kind, metadata: { name: 'a', generation: 2 }, spec, status };
  return WAITED[kind === 'Pod' ? 'Pod.' : `${kind}.apps`]?.missing(object);
}

test('workloads are ready by their own status, of their latest generation', () => {
  const full = { observedGeneration: 2, availableReplicas: 3, updatedReplicas: 3, readyReplicas: 3 };
  assert.equal(missing('Deployment', { replicas: 3 }, full), undefined);
  assert.equal(missing('Deployment', { replicas: 3 }, { ...full, availableReplicas: 1 }), '1 of 3 ready');
  assert.equal(missing('Deployment', { replicas: 3 }, { ...full, updatedReplicas: 2 }), '2 of 3 updated');
  assert.equal(missing('Deployment', { replicas: 0 }, { observedGeneration: 2 }), undefined);
  assert.equal(missing('StatefulSet', { replicas: 3 }, { ...full, observedGeneration: 1 }), '3 of 3 ready');
  assert.equal(missing('StatefulSet', {}, undefined), '0 of 1 ready');
  assert.equal(missing('DaemonSet', {}, { observedGeneration: 2, numberReady: 1, desiredNumberScheduled: 1 }), undefined);
});

test('a pod is ready when it says so or has done its work', () => {
  assert.equal(missing('Pod', {}, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }), undefined);
  assert.equal(missing('Pod', {}, { phase: 'Succeeded' }), undefined);
  assert.equal(missing('Pod', {}, { phase: 'Pending' }), 'Pending');
});

test('a container that was restarted is believed only after it has run for a while', () => {
  const now = Date.parse('2026-11-21T10:00:30Z');
  const pod = (restartCount: number, state: unknown): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    status: { containerStatuses: [{ name: 'c', restartCount, state }] },
  });
  assert.equal(restarting(pod(0, { running: { startedAt: '2026-11-21T10:00:29Z' } }), now), undefined);
  assert.equal(restarting(pod(2, { running: { startedAt: '2026-11-21T10:00:10Z' } }), now), undefined);
  assert.match(restarting(pod(2, { running: { startedAt: '2026-11-21T10:00:29Z' } }), now) ?? '', /c of pod a restarted 2 times/);
  assert.match(restarting(pod(1, { waiting: { reason: 'CrashLoopBackOff' } }), now) ?? '', /restarted 1 times/);
});
