import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { captured, ids, planOf, stepOf } from './fixtures/shop.ts';

const meta = { name: 'web', namespace: 'shop' };
const pods = (spec: Record<string, unknown>, kind = 'Deployment'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: meta,
  spec: { template: { spec } },
});
const secret = (name: string, more: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'shop' },
  ...more,
});

const cases: [string, string, KubeObject[]][] = [
  ['warn HostPathVolume', 'a directory of the node', [pods({ volumes: [{ hostPath: { path: '/data' } }] })]],
  ['warn NodePlacement', 'a node label', [pods({ nodeSelector: { disk: 'ssd' } })]],
  ['', 'a node label that every node has', [pods({ nodeSelector: { 'kubernetes.io/os': 'linux' } })]],
  ['info HostNetwork', 'a port of the node', [pods({ containers: [{ ports: [{ hostPort: 80 }] }] })]],
  ['info PrivilegedPod', 'a privileged container', [pods({ initContainers: [{ securityContext: { privileged: true } }] })]],
  ['warn WritesOutside', 'external-dns', [pods({ containers: [{ image: 'registry.example.com/external-dns/external-dns:v1' }] })]],
  ['', 'an image whose name only contains it', [pods({ containers: [{ image: 'registry.example.com/my-external-dns-ui:v1' }] })]],
  ['block PriorityClassMissing', 'a priority class that nobody has', [pods({ priorityClassName: 'high' })]],
  ['', 'a priority class of the system', [pods({ priorityClassName: 'system-node-critical' })]],
  ['block RuntimeClassMissing', 'a runtime class that nobody has', [pods({ runtimeClassName: 'gvisor' })]],
  ['warn ReferenceMissing', 'a Secret that does not move', [pods({ volumes: [{ secret: { secretName: 'token' } }] })]],
  ['', 'a Secret that moves along', [pods({ volumes: [{ secret: { secretName: 'token' } }] }), secret('token')]],
  ['', 'a Secret that may be missing', [pods({ containers: [{ envFrom: [{ secretRef: { name: 'token', optional: true } }] }] })]],
  [
    '',
    'what every namespace has',
    [pods({ serviceAccountName: 'default', volumes: [{ projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } }] })],
  ],
  ['warn HelmReleaseRenamed', 'the record of a Helm release', [secret('sh.helm.release.v1.web.v1', { type: 'helm.sh/release.v1' })]],
  ['warn RunningJob', 'a job that runs', [{ apiVersion: 'batch/v1', kind: 'Job', metadata: meta, spec: {} }]],
  [
    'warn CloudIdentity',
    'an account with rights in a cloud',
    [{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...meta, annotations: { 'eks.amazonaws.com/role-arn': 'x' } } }],
  ],
  ['info LoadBalancer', 'a load balancer', [{ apiVersion: 'v1', kind: 'Service', metadata: meta, spec: { type: 'LoadBalancer' } }]],
  [
    'warn FixedAddress',
    'addresses of the old cluster',
    [{ apiVersion: 'v1', kind: 'Service', metadata: meta, spec: { externalIPs: ['192.0.2.1'] } }],
  ],
  [
    'warn ManagedElsewhere',
    'an object of Argo CD',
    [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...meta, annotations: { 'argocd.argoproj.io/tracking-id': 'x' } } }],
  ],
  [
    'info ForeignFinalizer',
    'a finalizer of others',
    [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...meta, finalizers: ['example.com/keep'] } }],
  ],
  [
    '',
    'a finalizer that its controller puts on again',
    [{ apiVersion: 'v1', kind: 'Service', metadata: { ...meta, finalizers: ['service.kubernetes.io/load-balancer-cleanup'] } }],
  ],
  [
    'warn IngressClassMissing',
    'an ingress class that the target does not have',
    [{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: meta, spec: { ingressClassName: 'x' } }],
  ],
];

for (const [expected, name, objects] of cases) {
  test(`${name}: ${expected === '' ? 'nothing to say' : expected}`, () => {
    const plan = planOf(objects);
    const found = (['block', 'warn', 'info'] as const).flatMap((severity) => ids(plan, severity).map((id) => `${severity} ${id}`));
    assert.deepEqual(found, expected === '' ? [] : [expected]);
  });
}

test('server-set fields go, user-set ones of the same look stay', () => {
  const plan = planOf([
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'bare',
        namespace: 'shop',
        uid: 'u',
        resourceVersion: '1',
        generateName: 'bare-',
        annotations: { 'cni.projectcalico.org/podIP': '10.0.0.1', mine: 'yes' },
      },
      spec: {
        nodeName: 'n1',
        priority: 0,
        volumes: [{ name: 'kube-api-access-abcde' }, { name: 'kube-api-access-mine' }],
        containers: [{ name: 'a', volumeMounts: [{ name: 'kube-api-access-abcde' }, { name: 'kube-api-access-mine' }] }],
      },
      status: { phase: 'Running' },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once', namespace: 'shop', labels: { app: 'x' } },
      spec: {
        selector: { matchLabels: { 'controller-uid': 'u' } },
        template: { metadata: { labels: { 'controller-uid': 'u', 'job-name': 'once', app: 'x' } } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'app', namespace: 'shop' },
      secrets: [{ name: 'app-token-abcde' }, { name: 'kept' }],
    },
    secret('kept'),
  ]);
  const pod = stepOf(plan, 'Pod store/bare').manifest;
  assert.deepEqual(pod.spec, {
    volumes: [{ name: 'kube-api-access-mine' }],
    containers: [{ name: 'a', volumeMounts: [{ name: 'kube-api-access-mine' }] }],
  });
  assert.deepEqual(pod.metadata, { name: 'bare', namespace: 'store', annotations: { mine: 'yes', 'tranship.io/migration': 'm' } });
  assert.equal(pod.status, undefined);
  assert.deepEqual(stepOf(plan, 'Job.batch store/once').manifest.spec, { template: { metadata: { labels: { app: 'x' } } } });
  assert.deepEqual(stepOf(plan, 'ServiceAccount store/app').manifest.secrets, [{ name: 'kept' }]);
});

test('a priority class comes along without becoming the default', () => {
  const high: KubeObject = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 7,
    globalDefault: true,
  };
  const plan = planOf([pods({ priorityClassName: 'high' }), captured(high, { role: 'related' })]);
  assert.deepEqual(ids(plan, 'block'), []);
  const { manifest } = stepOf(plan, 'PriorityClass.scheduling.k8s.io high');
  assert.deepEqual([manifest['value'], manifest['globalDefault']], [7, undefined]);
});

test('a binding of the same role gets our accounts, of another role stands against the move', () => {
  const binding = (namespace: string, role: string): KubeObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'readers' },
    roleRef: { kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: 'a', namespace }],
  });
  const of = (role: string) =>
    planOf([captured(binding('shop', 'view'), { role: 'related' })], { target: { existing: [binding('other', role)] } });
  assert.equal(of('view').steps[0]?.action, 'Merge');
  assert.deepEqual(ids(of('view'), 'block'), []);
  assert.deepEqual(ids(of('edit'), 'block'), ['ClusterObjectDiffers']);
});
