import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { judgeStopping, mustStop } from './stopping.ts';

const exclude = { labels: { 'tranship.io/exclude': 'true' } };

function object(apiVersion: string, kind: string, name: string, owner?: KubeObject, more: Record<string, unknown> = {}): KubeObject {
  const ownerReferences = owner && [
    { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true },
  ];
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: 'shop', uid: `uid-${kind}-${name}`, ...(ownerReferences && { ownerReferences }), ...more },
  };
}
const mounting = (pod: KubeObject, claim: string): KubeObject => ({
  ...pod,
  spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: claim } }] },
});

/** @param pods judged among all `others`; those named in `selected` move */
function judge(pods: KubeObject[], others: KubeObject[], selected: KubeObject[] = others) {
  const known = new Map(others.map((each) => [each.metadata.uid ?? '', each]));
  return judgeStopping(pods, known, new Set(selected.map((each) => each.metadata.uid ?? '')), new Set(['shop/data']));
}
const reasons = (...given: Parameters<typeof judge>) => judge(...given).unstoppable.map(({ reason }) => reason);

const deployment = object('apps/v1', 'Deployment', 'web');
const replicaSet = object('apps/v1', 'ReplicaSet', 'web-1', deployment);
const cronJob = object('batch/v1', 'CronJob', 'report');
const job = object('batch/v1', 'Job', 'report-1', cronJob);
const custom = object('postgres.example.com/v1', 'Cluster', 'db');

test('pods whose topmost owner is a workload that moves are stopped with it', () => {
  assert.deepEqual(
    reasons([object('v1', 'Pod', 'a', replicaSet), object('v1', 'Pod', 'b', job)], [deployment, replicaSet, cronJob, job]),
    [],
  );
  for (const [apiVersion, kind] of [
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'DaemonSet'],
    ['apps/v1', 'ReplicaSet'],
    ['v1', 'ReplicationController'],
    ['batch/v1', 'Job'],
  ] as const) {
    const owner = object(apiVersion, kind, 'x');
    assert.deepEqual(reasons([mounting(object('v1', 'Pod', 'a', owner), 'data')], [owner]), [], kind);
  }
});

test('the topmost owner counts: a StatefulSet of an operator comes back', () => {
  const set = object('apps/v1', 'StatefulSet', 'db', custom);
  const found = judge([object('v1', 'Pod', 'db-0', set)], [custom, set]).unstoppable;
  assert.deepEqual(found, [
    {
      pod: { group: '', kind: 'Pod', namespace: 'shop', name: 'db-0' },
      owners: [
        { group: 'apps', kind: 'StatefulSet', namespace: 'shop', name: 'db' },
        { group: 'postgres.example.com', kind: 'Cluster', namespace: 'shop', name: 'db' },
      ],
      reason: 'OwnerNotStoppable',
      claims: [],
    },
  ]);
});

test('the group counts: kruise StatefulSets and Argo Rollouts are not ours to stop', () => {
  const kruise = object('apps.kruise.io/v1beta1', 'StatefulSet', 'db');
  const rollout = object('argoproj.io/v1alpha1', 'Rollout', 'web');
  const rolled = object('apps/v1', 'ReplicaSet', 'web-2', rollout);
  const pods = [object('v1', 'Pod', 'db-0', kruise), object('v1', 'Pod', 'web-2-x', rolled)];
  assert.deepEqual(reasons(pods, [kruise, rollout, rolled]), ['OwnerNotStoppable', 'OwnerNotStoppable']);
});

test('an owner that stays behind, or that is not known, stops nothing', () => {
  const set = object('apps/v1', 'StatefulSet', 'db');
  const pod = object('v1', 'Pod', 'db-0', set);
  assert.deepEqual(reasons([pod], [set], []), ['OwnerNotSelected']);
  assert.deepEqual(reasons([pod], []), ['OwnerUnknown']);
  // Another object of that name, made anew, is another owner.
  assert.deepEqual(reasons([pod], [{ ...set, metadata: { ...set.metadata, uid: 'later' } }]), ['OwnerUnknown']);
});

test('a pod without a controller stands against the move only when it mounts a claim', () => {
  const bare = object('v1', 'Pod', 'shell');
  assert.deepEqual(reasons([bare], []), []);
  assert.deepEqual(reasons([mounting(bare, 'data')], []), ['NoController']);
});

test('pods that have ended, are being deleted or are ours do not count', () => {
  const pod = (more: Record<string, unknown>) => mounting(object('v1', 'Pod', 'a', undefined, more), 'data');
  assert.deepEqual(reasons([{ ...pod({}), status: { phase: 'Succeeded' } }], []), []);
  assert.deepEqual(reasons([{ ...pod({}), status: { phase: 'Failed' } }], []), []);
  assert.deepEqual(reasons([pod({ deletionTimestamp: '2026-01-01T00:00:00Z' })], []), []);
  assert.deepEqual(reasons([pod({ labels: { 'app.kubernetes.io/managed-by': 'tranship' } })], []), []);
  assert.deepEqual(reasons([{ ...pod({}), status: { phase: 'Pending' } }], []), ['NoController']);
});

test('what the user excluded runs on and is not waited for, unless it mounts a claim that moves', () => {
  const set = object('apps/v1', 'StatefulSet', 'cache', undefined, exclude);
  const pod = object('v1', 'Pod', 'cache-0', set);
  const stopping = judge([pod], [set], []);
  assert.deepEqual(stopping.unstoppable, []);
  assert.equal(mustStop(pod, stopping), false);
  assert.equal(mustStop({ ...pod, metadata: { ...pod.metadata, name: 'cache-1', uid: 'another' } }, stopping), false);
  assert.equal(mustStop(pod), true);
  assert.deepEqual(reasons([mounting(pod, 'data')], [set], []), ['ExcludedWithClaim']);
  assert.deepEqual(reasons([mounting(pod, 'scratch')], [set], []), []);
  // Excluded by its own label only: its controller makes others that are not.
  const own = object('v1', 'Pod', 'db-0', custom, exclude);
  assert.deepEqual(judge([own], [custom]).keptRunning, ['uid-Pod-db-0']);
});

test('mustStop: bare pods without claims are left alone, all others must be gone', () => {
  assert.equal(mustStop(object('v1', 'Pod', 'a')), false);
  assert.equal(mustStop(mounting(object('v1', 'Pod', 'a'), 'data')), true);
  assert.equal(mustStop(object('v1', 'Pod', 'a', replicaSet)), true);
  assert.equal(mustStop({ ...object('v1', 'Pod', 'a', replicaSet), status: { phase: 'Succeeded' } }), false);
});

test('a circle of owners ends', () => {
  const first = object('apps/v1', 'ReplicaSet', 'one');
  const second = object('apps/v1', 'ReplicaSet', 'two', first);
  first.metadata.ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'two', uid: 'uid-ReplicaSet-two', controller: true },
  ];
  assert.deepEqual(reasons([object('v1', 'Pod', 'a', first)], [first, second]), ['OwnerUnknown']);
});
