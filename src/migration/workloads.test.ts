import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { frozenOf, selectorOf } from './workloads.ts';

function workload(apiVersion: string, kind: string, spec: object, metadata: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: 'one', namespace: 'shop', ...metadata }, spec };
}

const owner = { kind: 'Deployment', name: 'web', uid: 'u', apiVersion: 'apps/v1', controller: true };

test("the state before is kept as it was, with the API server's defaults where nothing was written", () => {
  const before = (object: KubeObject): unknown => JSON.parse(frozenOf(object)?.before ?? '"none"');
  assert.equal(before(workload('apps/v1', 'Deployment', { replicas: 3 })), 3);
  assert.equal(before(workload('apps/v1', 'StatefulSet', {})), 1);
  assert.equal(before(workload('apps/v1', 'Deployment', { replicas: 0 })), 0);
  assert.equal(before(workload('apps/v1', 'DaemonSet', { template: { spec: { nodeSelector: { disk: 'fast' } } } })), null);
  assert.equal(before(workload('batch/v1', 'CronJob', { suspend: true })), true);
});

test('a workload that an earlier stop left keeps the number it had before that', () => {
  const stopped = workload('apps/v1', 'Deployment', { replicas: 0 }, { annotations: { 'tranship.io/replicas': '4' } });
  assert.equal(frozenOf(stopped)?.before, '4');
});

test('what a controller owns is left to its owner, but a Job between two tries has nobody else to stop it', () => {
  assert.equal(frozenOf(workload('apps/v1', 'ReplicaSet', { replicas: 1 }, { ownerReferences: [owner] })), undefined);
  const job = workload('batch/v1', 'Job', {}, { ownerReferences: [{ ...owner, kind: 'CronJob' }] });
  assert.equal(frozenOf(job)?.before, 'false');
  assert.equal(frozenOf({ ...job, status: { conditions: [{ type: 'Complete', status: 'True' }] } }), undefined);
});

test('a kind of the same name in another group is not taken for ours', () => {
  assert.equal(frozenOf(workload('apps.kruise.io/v1beta1', 'StatefulSet', { replicas: 1 })), undefined);
});

test('the pods of a workload are asked for with its whole selector', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  };
  assert.equal(selectorOf(workload('apps/v1', 'Deployment', { selector })), 'app=web,tier in (a,b),!old');
  assert.equal(selectorOf(workload('batch/v1', 'Job', {})), 'job-name=one');
  assert.equal(selectorOf(workload('batch/v1', 'CronJob', {})), undefined);
});
