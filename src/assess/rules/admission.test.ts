import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assessCase, deployment, found, object, thing, type Case, type Row } from '../fixtures/sides.ts';
import { breaches } from './pod-security.ts';

const ADMISSION = 'admissionregistration.k8s.io/v1';
const rules = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE'], resources: ['*'] }];
const webhook = (more: Record<string, unknown>) =>
  thing(
    'ValidatingWebhookConfiguration',
    'guard',
    {
      webhooks: [
        {
          name: 'guard.example.com',
          failurePolicy: 'Fail',
          sideEffects: 'None',
          rules,
          clientConfig: { service: { namespace: 'g', name: 'guard' } },
          ...more,
        },
      ],
    },
    ADMISSION,
  );
const up = [{ namespace: 'g', name: 'guard', ready: true }];
const guarded = (hook: Record<string, unknown>, webhookBackends = up): Case => ({
  objects: [object('ConfigMap', 'c')],
  target: { facts: { objects: [webhook(hook)], webhookBackends } },
});
const labelled = (level: string, spec: Record<string, unknown>, mode = 'enforce'): Case => ({
  objects: [deployment(spec)],
  target: { facts: { objects: [thing('Namespace', 'shop', { metadata: { labels: { [`pod-security.kubernetes.io/${mode}`]: level } } })] } },
});
const quota = (hard: Record<string, string>, used: Record<string, string> = {}, spec: Record<string, unknown> = {}): Case => ({
  objects: [deployment({ containers: [{ name: 'main', image: 'x:v1', resources: { requests: { cpu: '1' } } }], ...spec })],
  target: { facts: { objects: [object('ResourceQuota', 'q', { spec: { hard }, status: { used } })] } },
});
const range = (item: Record<string, unknown>, resources: Record<string, unknown>): Case => ({
  objects: [deployment({ containers: [{ name: 'main', image: 'x:v1', resources }] })],
  target: { facts: { objects: [object('LimitRange', 'r', { spec: { limits: [{ type: 'Container', ...item }] } })] } },
});

const rows: Row[] = [
  ['unknown PoliciesNotTried', guarded({}), { objects: [object('ConfigMap', 'c')] }],
  ['warn WebhookSideEffects', guarded({ sideEffects: 'Some' }), guarded({ sideEffects: 'NoneOnDryRun' })],
  ['block WebhookDown', guarded({}, [{ namespace: 'g', name: 'guard', ready: false }]), guarded({ failurePolicy: 'Ignore' }, [])],
  ['unknown WebhookBackendUnknown', guarded({}, []), guarded({ rules: [{ ...rules[0], apiGroups: ['apps'] }] }, [])],
  ['block PodSecurityRefuses', labelled('baseline', { hostNetwork: true }), labelled('privileged', { hostNetwork: true })],
  ['info PodSecurityWarns', labelled('restricted', {}, 'warn'), labelled('baseline', {}, 'warn')],
  ['block QuotaExceeded', quota({ 'requests.cpu': '4' }, { 'requests.cpu': '3' }), quota({ 'requests.cpu': '4' }, { 'requests.cpu': '2' })],
  ['block QuotaNeedsRequests', quota({ 'requests.memory': '100Gi' }), quota({ 'requests.cpu': '100' })],
  [
    'block LimitRangeRefuses',
    range({ max: { memory: '1Gi' } }, { limits: { memory: '2Gi' } }),
    range({ max: { memory: '2Gi' } }, { limits: { memory: '2Gi' } }),
  ],
  [
    'info LimitRangeDefaults',
    range({ default: { memory: '1Gi' } }, {}),
    range({ default: { memory: '1Gi' } }, { limits: { memory: '2Gi' } }),
  ],
  [
    'unknown QuotaUnknown',
    { target: { facts: { unread: [{ group: '', resource: 'resourcequotas', namespace: 'shop', message: 'no' }] } } },
    { target: { facts: { unread: [{ group: '', resource: 'nodes', message: 'no' }] } } },
  ],
];

for (const [expected, has, hasNot] of rows) {
  test(expected, () => {
    const [, id = ''] = expected.split(' ');
    assert.equal(found(assessCase(has), id), expected);
    assert.equal(found(assessCase(hasNot), id), '');
  });
}

test('a quota of storage and of volumes counts what the claims ask for', () => {
  const volume = {
    namespace: 'shop',
    claim: 'data',
    persistentVolume: 'pv',
    mode: 'Filesystem' as const,
    accessModes: ['ReadWriteOnce'],
    capacityBytes: 5 * 2 ** 30,
    storageClass: 'fast',
    driver: 'csi.example.com',
    usedBy: [],
  };
  const having = (hard: string): Case => ({
    objects: [
      object('PersistentVolumeClaim', 'data', { spec: { storageClassName: 'fast', volumeName: 'pv', accessModes: ['ReadWriteOnce'] } }),
    ],
    volumes: [volume],
    target: { facts: { objects: [object('ResourceQuota', 'q', { spec: { hard: { 'requests.storage': hard } } })] } },
  });
  assert.equal(found(assessCase(having('4Gi')), 'QuotaExceeded'), 'block QuotaExceeded');
  assert.equal(found(assessCase(having('5Gi')), 'QuotaExceeded'), '');
});

const good = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

test('Pod Security levels, control by control', () => {
  const of = (spec: Record<string, unknown>, level: 'baseline' | 'restricted') =>
    breaches({ containers: [{ name: 'c', securityContext: good }], ...spec }, level);
  assert.deepEqual(of({}, 'restricted'), []);
  assert.deepEqual(of({ hostPID: true, hostIPC: true }, 'baseline'), ['hostIPC', 'hostPID']);
  assert.deepEqual(of({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'baseline'), ['hostPath volumes']);
  assert.deepEqual(of({ containers: [{ securityContext: { capabilities: { add: ['NET_ADMIN'] } } }] }, 'baseline'), [
    'capability NET_ADMIN',
  ]);
  assert.deepEqual(of({ containers: [{ securityContext: { capabilities: { add: ['CHOWN'] } } }] }, 'baseline'), []);
  assert.deepEqual(of({ securityContext: { sysctls: [{ name: 'kernel.msgmax' }, { name: 'net.ipv4.tcp_syncookies' }] } }, 'baseline'), [
    'sysctl kernel.msgmax',
  ]);
  assert.deepEqual(of({ securityContext: { seccompProfile: { type: 'Unconfined' } } }, 'baseline'), ['seccomp Unconfined']);
  assert.deepEqual(of({ initContainers: [{ securityContext: { privileged: true } }] }, 'baseline'), ['privileged container']);
  assert.deepEqual(of({ containers: [{ ports: [{ hostPort: 80 }] }] }, 'baseline'), ['hostPort']);
  assert.deepEqual(of({ containers: [{}] }, 'restricted'), [
    'allowPrivilegeEscalation is not false',
    'capabilities are not dropped',
    'runAsNonRoot is not true',
    'seccompProfile is not RuntimeDefault',
  ]);
  assert.deepEqual(of({ volumes: [{ name: 'v', nfs: { server: 'x' } }] }, 'restricted'), ['nfs volumes']);
  assert.deepEqual(of({ securityContext: { runAsUser: 0 } }, 'restricted'), ['runAsUser 0']);
});
