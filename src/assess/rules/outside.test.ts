import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assessCase, deployment, found, object, type Row } from '../fixtures/sides.ts';

const head = 'apiVersion: tranship.io/v1alpha1\nkind: AssessmentAnswers\n';
const env = (value: string) => deployment({ containers: [{ name: 'main', image: 'x@sha256:00', env: [{ name: 'DB_HOST', value }] }] });
const image = (reference: string, more: Record<string, unknown> = {}) =>
  deployment({ containers: [{ name: 'main', image: reference }], ...more });
const ecr = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:v1';
const bucket = (annotations: Record<string, string>) => object('Bucket', 'b', { metadata: { annotations } }, 's3.aws.upbound.io/v1');
const cron = (suspend: boolean) => object('CronJob', 'nightly', { spec: { suspend } }, 'batch/v1');
const binding = (name: string) =>
  object('RoleBinding', 'b', { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name }] }, 'rbac.authorization.k8s.io/v1');

const rows: Row[] = [
  [
    'unknown OutsideEndpoint',
    { objects: [env('db.example.com:5432')] },
    { objects: [env('db.example.com:5432')], answers: `${head}endpoints: { "db.example.com": reachable }` },
  ],
  [
    'block OutsideEndpointUnreachable',
    { objects: [env('db.example.com')], answers: `${head}endpoints: { db.example.com: unreachable }` },
    { objects: [env('db.shop.svc')], answers: `${head}endpoints: { db.example.com: unreachable }` },
  ],
  ['warn ImagePullBoundToCloud', { objects: [image(ecr)] }, { objects: [image(ecr, { imagePullSecrets: [{ name: 'pull' }] })] }],
  [
    'unknown ImagePullUnproven',
    { objects: [image('registry.example.com/web:v1')] },
    { objects: [image('registry.example.com/web:v1')], answers: `${head}registries: { registry.example.com: reachable }` },
  ],
  [
    'block ImagePullFailed',
    { objects: [image('web:v1')], answers: `${head}registries: { docker.io: unreachable }` },
    { objects: [image('web:v1')] },
  ],
  ['warn ImageNotPinned', { objects: [image('registry.example.com:5000/web')] }, { objects: [image('registry.example.com:5000/web:v1')] }],
  ['warn ImageInCluster', { objects: [image('registry.infra.svc:5000/web:v1')] }, { objects: [image('registry.example.com:5000/web:v1')] }],
  ['block CloudResourceOwned', { objects: [bucket({})] }, { objects: [bucket({ 'crossplane.io/paused': 'true' })] }],
  ['info SchedulesMove', { objects: [cron(false)] }, { objects: [cron(true)] }],
  [
    'warn LongLivedToken',
    { leftBehind: [{ ref: { group: '', kind: 'Secret', namespace: 'shop', name: 'token' }, rule: 'TokenSecret', reason: '' }] },
    { leftBehind: [{ ref: { group: '', kind: 'Secret', namespace: 'shop', name: 'token' }, rule: 'ExcludedByLabel', reason: '' }] },
  ],
  ['warn UsersBound', { objects: [binding('jane')] }, { objects: [binding('system:kube-scheduler')] }],
  ['block SealedSecretKey', { objects: [object('SealedSecret', 's', {}, 'bitnami.com/v1alpha1')] }, { objects: [object('Secret', 's')] }],
  [
    'warn SecretFromStore',
    { objects: [object('ExternalSecret', 's', {}, 'external-secrets.io/v1')] },
    { objects: [object('Secret', 's')] },
  ],
];

for (const [expected, has, hasNot] of rows) {
  test(expected, () => {
    const [, id = ''] = expected.split(' ');
    assert.equal(found(assessCase(has), id), expected);
    assert.equal(found(assessCase(hasNot), id), '');
  });
}

test('a job that must never run twice is told as a warning, by name', () => {
  const answers = `${head}answers: { never-twice: [nightly] }`;
  assert.equal(found(assessCase({ objects: [cron(false)], answers }), 'SchedulesMove'), 'warn SchedulesMove');
  assert.equal(found(assessCase({ objects: [cron(false)], answers: `${head}answers: { never-twice: none }` }), 'SchedulesMove'), '');
});
