import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import { captured, planOf, stepOf } from './fixtures/shop.ts';

const meta = { name: 'x', namespace: 'shop' };
const RBAC = 'rbac.authorization.k8s.io/v1';

/** Each case: an object that names namespaces, a path to look at, and what must stand there in the namespace store. */
const cases: [string, KubeObject, string, unknown[]][] = [
  [
    'accounts, groups and users of a binding',
    {
      apiVersion: RBAC,
      kind: 'RoleBinding',
      metadata: meta,
      subjects: [
        { kind: 'ServiceAccount', name: 'shop', namespace: 'shop' },
        { kind: 'ServiceAccount', name: 'other', namespace: 'billing' },
        { kind: 'Group', name: 'system:serviceaccounts:shop' },
        { kind: 'Group', name: 'system:serviceaccounts' },
        { kind: 'User', name: 'system:serviceaccount:shop:app' },
        { kind: 'User', name: 'shop' },
      ],
    },
    'subjects[*]',
    [
      { kind: 'ServiceAccount', name: 'shop', namespace: 'store' },
      { kind: 'ServiceAccount', name: 'other', namespace: 'billing' },
      { kind: 'Group', name: 'system:serviceaccounts:store' },
      { kind: 'Group', name: 'system:serviceaccounts' },
      { kind: 'User', name: 'system:serviceaccount:store:app' },
      { kind: 'User', name: 'shop' },
    ],
  ],
  [
    'rules about namespaces, not about other things of that name',
    {
      apiVersion: RBAC,
      kind: 'Role',
      metadata: meta,
      rules: [
        { resources: ['namespaces'], resourceNames: ['shop', 'billing'] },
        { resources: ['configmaps'], resourceNames: ['shop'] },
      ],
    },
    'rules[*].resourceNames[*]',
    ['store', 'billing', 'shop'],
  ],
  [
    'the namespace selector of a network policy',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: meta,
      spec: {
        ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop', name: 'shop' } } }] }],
        egress: [{ to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }] }],
      },
    },
    'spec.*[*].*[*].namespaceSelector.matchLabels.*',
    ['store', 'shop', 'kube-system'],
  ],
  [
    'expressions of a namespace selector',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: meta,
      spec: {
        ingress: [
          {
            from: [
              { namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['a', 'shop'] }] } },
            ],
          },
        ],
      },
    },
    'spec.ingress[*].from[*].namespaceSelector.matchExpressions[*].values[*]',
    ['a', 'store'],
  ],
  [
    'pod affinity',
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: {
        template: {
          spec: {
            affinity: {
              podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', namespaces: ['shop', 'a'] }] },
            },
          },
        },
      },
    },
    'spec.template.spec.affinity.*.*[*].namespaces[*]',
    ['store', 'a'],
  ],
  [
    'routes of the Gateway API',
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: meta,
      spec: { parentRefs: [{ name: 'gw', namespace: 'infra' }], rules: [{ backendRefs: [{ name: 'web', namespace: 'shop' }] }] },
    },
    'spec.rules[*].backendRefs[*].namespace',
    ['store'],
  ],
  [
    'annotations of an ingress',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { ...meta, annotations: { 'nginx.ingress.kubernetes.io/auth-tls-secret': 'shop/ca' } },
    },
    'metadata.annotations["nginx.ingress.kubernetes.io/auth-tls-secret"]',
    ['store/ca'],
  ],
];

for (const [name, object, path, expected] of cases) {
  test(`a rename is followed by ${name}`, () => {
    const step = planOf([object]).steps[0];
    assert.equal(step?.target.namespace, 'store');
    assert.deepEqual(
      find(step?.manifest, path).map(({ value }) => value),
      expected,
    );
  });
}

test('webhooks and definitions call the service in its new namespace', () => {
  const webhook = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'shop' },
    webhooks: [
      {
        name: 'a',
        clientConfig: { service: { name: 'web', namespace: 'shop' } },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
      },
    ],
  };
  const step = stepOf(planOf([captured(webhook, { role: 'related' })]), 'ValidatingWebhookConfiguration.admissionregistration.k8s.io shop');
  assert.deepEqual(find(step.manifest, 'webhooks[*].clientConfig.service.namespace')[0]?.value, 'store');
  assert.deepEqual(find(step.manifest, 'webhooks[*].namespaceSelector.matchLabels.*')[0]?.value, 'store');
  assert.equal(step.phase, 'Activate');
});

test('a cluster role binding leaves the accounts of others where they are', () => {
  const binding = {
    apiVersion: RBAC,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'readers' },
    roleRef: { kind: 'ClusterRole', name: 'view' },
    subjects: [
      { kind: 'ServiceAccount', name: 'a', namespace: 'shop' },
      { kind: 'ServiceAccount', name: 'b', namespace: 'billing' },
    ],
  };
  const step = stepOf(
    planOf([captured(binding, { role: 'related', shared: true })]),
    'ClusterRoleBinding.rbac.authorization.k8s.io readers',
  );
  assert.deepEqual(step.manifest.subjects, [{ kind: 'ServiceAccount', name: 'a', namespace: 'store' }]);
  assert.ok(step.changes.some(({ rule }) => rule === 'SubjectOfOthers'));
});

test('two namespaces that swap their names swap all references', () => {
  const policy = (namespace: string, names: string[]) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'x', namespace },
    spec: { ingress: [{ from: names.map((name) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } })) }] },
  });
  const plan = planOf([policy('shop', ['shop'])], { mapping: { namespaces: { shop: 'billing', billing: 'shop' } } });
  assert.deepEqual(find(plan.steps[0]?.manifest, 'spec.ingress[*].from[*].namespaceSelector.matchLabels.*')[0]?.value, 'billing');
});

test('what kubectl apply remembers follows, so that the next apply works', () => {
  const name = 'kubectl.kubernetes.io/last-applied-configuration';
  const annotations = { [name]: '{"apiVersion":"v1","metadata":{"name":"a","namespace":"shop"},"data":{"k":"v"}}\n' };
  const step = stepOf(
    planOf([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop', annotations } }]),
    'ConfigMap store/a',
  );
  assert.equal(
    step.manifest.metadata.annotations?.[name],
    '{"apiVersion":"v1","metadata":{"name":"a","namespace":"store"},"data":{"k":"v"}}\n',
  );
});
