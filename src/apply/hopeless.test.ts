import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { hasStarted, isHopeless, refusedByEvents, refusedByStatus } from './hopeless.ts';

const pod = (container: unknown, list = 'containerStatuses', more: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', ...more },
  status: { [list]: [container] },
});
const waiting = (reason: string) => ({ name: 'c', restartCount: 0, started: false, state: { waiting: { reason } } });

test('a container has been started when it runs, has ended, or was started again; an init container counts', () => {
  assert.equal(hasStarted(pod(waiting('ContainerCreating'))), false);
  assert.equal(hasStarted(pod(waiting('ImagePullBackOff'))), false);
  assert.equal(hasStarted({ ...pod({}), status: {} }), false);
  assert.equal(hasStarted(pod({ state: { running: { startedAt: 'x' } } })), true);
  assert.equal(hasStarted(pod({ state: { terminated: { exitCode: 1 } } })), true);
  assert.equal(hasStarted(pod({ ...waiting('CrashLoopBackOff'), lastState: { terminated: { exitCode: 1 } } })), true);
  assert.equal(hasStarted(pod({ ...waiting('CrashLoopBackOff'), restartCount: 3 })), true);
  assert.equal(hasStarted(pod({ state: { terminated: { exitCode: 0 } } }, 'initContainerStatuses')), true);
});

test('hopeless: nothing ever started, and every pod is stuck', () => {
  for (const reason of ['ImagePullBackOff', 'ErrImagePull', 'InvalidImageName', 'CreateContainerConfigError']) {
    assert.equal(isHopeless([pod(waiting(reason))], false), true, reason);
    assert.equal(isHopeless([pod(waiting(reason), 'initContainerStatuses')], false), true, reason);
  }
  assert.equal(isHopeless([pod(waiting('ContainerCreating'))], false), false);
  assert.equal(isHopeless([pod(waiting('ErrImagePull')), pod(waiting('ContainerCreating'))], false), false);
  // One that ran and crashes may find what it waits for; and something has run.
  assert.equal(isHopeless([pod({ ...waiting('CrashLoopBackOff'), restartCount: 9 })], false), false);
  assert.equal(isHopeless([pod(waiting('ErrImagePull')), pod({ state: { running: {} } })], false), false);
  // An old pod on its way out says nothing about the new one.
  assert.equal(isHopeless([pod(waiting('ErrImagePull'), 'containerStatuses', { deletionTimestamp: 'x' })], false), false);
});

test('without pods it is hopeless only when they were refused', () => {
  assert.equal(isHopeless([], false), false);
  assert.equal(isHopeless([], true), true);
});

const failed = (message: string, status = 'True'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a' },
  status: { conditions: [{ type: 'ReplicaFailure', status, reason: 'FailedCreate', message }] },
});

test('a refusal of pods by quota or admission lasts; one that passes by itself does not count', () => {
  assert.equal(refusedByStatus(failed('pods "a-1" is forbidden: exceeded quota: q, requested: pods=1')), true);
  assert.equal(refusedByStatus(failed('admission webhook "x.example.com" denied the request: no')), true);
  assert.equal(refusedByStatus(failed('pods "a-1" is forbidden: violates PodSecurity "restricted:latest"')), true);
  assert.equal(refusedByStatus(failed('Internal error occurred: failed calling webhook "x": connection refused')), false);
  assert.equal(refusedByStatus(failed('pods "a-1" is forbidden: status unknown for quota: q')), false);
  assert.equal(refusedByStatus(failed('exceeded quota', 'False')), false);
});

test('an event tells of a refusal as long as it is fresh', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');
  const event = (lastTimestamp: string, message = 'is forbidden: exceeded quota', reason = 'FailedCreate'): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e' },
    reason,
    message,
    lastTimestamp,
  });
  assert.equal(refusedByEvents([event('2026-11-21T09:59:40Z')], now), true);
  assert.equal(refusedByEvents([event('2026-11-21T09:50:00Z')], now), false);
  assert.equal(refusedByEvents([event('2026-11-21T09:59:40Z', 'failed calling webhook')], now), false);
  assert.equal(refusedByEvents([event('2026-11-21T09:59:40Z', 'x', 'SuccessfulCreate')], now), false);
  assert.equal(refusedByEvents([event('nonsense')], now), false);
});
