import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { leaveRule, surroundingsOf } from './leave-behind.ts';
import { bytesOf } from '../api/quantity.ts';

function object(kind: string, metadata: Record<string, unknown>, more: Record<string, unknown> = {}, apiVersion = 'v1'): KubeObject {
  return { apiVersion, kind, metadata: { name: 'x', namespace: 'shop', ...metadata }, ...more };
}

function ruleOf(each: KubeObject, others: KubeObject[] = []): string | undefined {
  const [group = '', version = ''] = each.apiVersion.includes('/') ? each.apiVersion.split('/') : ['', each.apiVersion];
  const type = { group, version, resource: 'x', kind: each.kind, namespaced: true, verbs: [], versions: [] };
  return leaveRule(each, type, surroundingsOf([each, ...others]))?.rule;
}

const owner = { name: 'o', kind: 'ReplicaSet', apiVersion: 'apps/v1', uid: 'o1', controller: true };
const owning = object('ReplicaSet', { name: 'o', uid: 'o1' }, {}, 'apps/v1');
const ended = (type: string) => ({ status: { conditions: [{ type, status: 'True' }] } });
const release = (version: string, status: string) =>
  object(
    'Secret',
    { name: `sh.helm.release.v1.web.v${version}`, labels: { owner: 'helm', name: 'web', version, status } },
    { type: 'helm.sh/release.v1' },
  );

const cases: [string, string | undefined, KubeObject, KubeObject[]?][] = [
  ['a bare pod', undefined, object('Pod', {})],
  ['a pod of a controller', 'ManagedByController', object('Pod', { ownerReferences: [owner] }), [owning]],
  ['a child of an owner that was not read', undefined, object('ConfigMap', { ownerReferences: [owner] })],
  [
    'a child whose owner does not control it',
    undefined,
    object('ConfigMap', { ownerReferences: [{ ...owner, controller: false }] }),
    [owning],
  ],
  ['a Secret of a controller: its content could not be made again', undefined, object('Secret', { ownerReferences: [owner] }), [owning]],
  ['a claim of a controller', undefined, object('PersistentVolumeClaim', { ownerReferences: [owner] }), [owning]],
  ['an ephemeral claim of a pod', 'EphemeralClaim', object('PersistentVolumeClaim', { ownerReferences: [{ ...owner, kind: 'Pod' }] })],
  ['a finished pod', 'FinishedPod', object('Pod', {}, { status: { phase: 'Succeeded' } })],
  ['a running job', undefined, object('Job', {}, { status: { conditions: [] } }, 'batch/v1')],
  ['a complete job', 'FinishedJob', object('Job', {}, ended('Complete'), 'batch/v1')],
  ['a failed job', 'FinishedJob', object('Job', {}, ended('Failed'), 'batch/v1')],
  ['an object that somebody deletes', 'BeingDeleted', object('ConfigMap', { deletionTimestamp: '2026-01-01T00:00:00Z' })],
  ['an excluded object', 'ExcludedByLabel', object('ConfigMap', { labels: { 'tranship.io/exclude': 'true' } })],
  [
    'a staging object of ours',
    'OursForStaging',
    object('Pod', { labels: { 'app.kubernetes.io/managed-by': 'tranship', 'tranship.io/migration': 'm' } }),
  ],
  ['the CA of the cluster', 'MadeByCluster', object('ConfigMap', { name: 'kube-root-ca.crt' })],
  ['a default account without anything', 'MadeByCluster', object('ServiceAccount', { name: 'default' })],
  ['a default account with pull secrets', undefined, object('ServiceAccount', { name: 'default' }, { imagePullSecrets: [{ name: 'a' }] })],
  ['a token', 'TokenSecret', object('Secret', {}, { type: 'kubernetes.io/service-account-token' })],
  ['an old Helm revision', 'HelmHistory', release('1', 'superseded'), [release('2', 'deployed')]],
  ['a failed Helm revision after the deployed one', 'HelmHistory', release('3', 'failed'), [release('2', 'deployed')]],
  ['the deployed Helm revision', undefined, release('2', 'deployed'), [release('1', 'superseded')]],
  ['a lease', 'LeaderElection', object('Lease', {}, {}, 'coordination.k8s.io/v1')],
  [
    'endpoints of a service with a selector',
    'MadeForService',
    object('Endpoints', {}),
    [object('Service', {}, { spec: { selector: { a: 'b' } } })],
  ],
  ['endpoints that a person wrote', undefined, object('Endpoints', {}), [object('Service', {}, { spec: {} })]],
  [
    'a slice of a controller',
    'MadeForService',
    object(
      'EndpointSlice',
      { labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' } },
      {},
      'discovery.k8s.io/v1',
    ),
  ],
  ['a slice that a person wrote', undefined, object('EndpointSlice', {}, {}, 'discovery.k8s.io/v1')],
  ['a snapshot', 'StateOfStorage', object('VolumeSnapshot', {}, {}, 'snapshot.storage.k8s.io/v1')],
  ['an order of a certificate', 'Generated', object('Order', {}, {}, 'acme.cert-manager.io/v1')],
];

for (const [name, rule, each, others] of cases) {
  test(`${name} ${rule === undefined ? 'moves' : `stays behind: ${rule}`}`, () => assert.equal(ruleOf(each, others), rule));
}

test('quantities are whole bytes', () => {
  assert.deepEqual(['10Gi', '1500M', '1e3', '0.5Ki', '128974848000m', 'nonsense', undefined].map(bytesOf), [
    10 * 2 ** 30,
    1_500_000_000,
    1000,
    512,
    128_974_848,
    0,
    0,
  ]);
});
