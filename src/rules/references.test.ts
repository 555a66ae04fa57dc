import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindRulesSchema, type KindRulesInput } from '../api/kind-rules.ts';
import { refText, type KubeObject } from '../api/object.ts';
import { BUILT_IN, matches, podTemplatesOf, referencesOf, Rules } from './index.ts';

const object = (apiVersion: string, kind: string, rest: Record<string, unknown> = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'a', namespace: 'shop' },
  ...rest,
});
const named = (of: KubeObject, rules = BUILT_IN) => referencesOf(of, rules).map(({ target, edge }) => `${edge} ${refText(target)}`);
const file = (spec: KindRulesInput['spec']) =>
  kindRulesSchema.parse({ apiVersion: 'tranship.io/v1alpha1', kind: 'KindRules', metadata: { name: 'mine' }, spec });

test('a workload names its classes, wherever its pods stand', () => {
  const spec = { jobTemplate: { spec: { template: { spec: { priorityClassName: 'high', runtimeClassName: 'gvisor' } } } } };
  assert.deepEqual(named(object('batch/v1', 'CronJob', { spec })), [
    'of-class PriorityClass.scheduling.k8s.io high',
    'of-class RuntimeClass.node.k8s.io gvisor',
  ]);
});

test('a reference has the kind that it says', () => {
  const binding = (kind: string) =>
    object('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { kind, name: 'edit' }, subjects: [{ kind: 'User', name: 'jane' }] });
  assert.deepEqual(named(binding('ClusterRole')), ['grants ClusterRole.rbac.authorization.k8s.io edit']);
  assert.deepEqual(named(binding('Role')), ['grants Role.rbac.authorization.k8s.io shop/edit']);
  const scaler = (apiVersion: string) =>
    object('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { scaleTargetRef: { apiVersion, kind: 'X', name: 'y' } } });
  assert.deepEqual(named(scaler('v1')), ['scales X shop/y']);
  assert.deepEqual(named(scaler('apps.example.com/v1')), ['scales X.apps.example.com shop/y']);
});

test('a reference without a kind means the usual one; one with a namespace leads there', () => {
  const certificate = (issuerRef: object) => object('cert-manager.io/v1', 'Certificate', { spec: { secretName: 'tls', issuerRef } });
  assert.deepEqual(named(certificate({ name: 'ca' })), ['writes-secret Secret shop/tls', 'issued-by Issuer.cert-manager.io shop/ca']);
  assert.deepEqual(named(certificate({ name: 'ca', kind: 'ClusterIssuer' })).at(-1), 'issued-by ClusterIssuer.cert-manager.io ca');
  const pool = { name: 'x', kind: 'AWSPCAIssuer', group: 'awspca.cert-manager.io' };
  assert.deepEqual(named(certificate(pool)).at(-1), 'issued-by AWSPCAIssuer.awspca.cert-manager.io shop/x');
  const ingress = object('networking.k8s.io/v1', 'Ingress');
  ingress.metadata.annotations = {
    'nginx.ingress.kubernetes.io/auth-tls-secret': 'infra/ca',
    'nginx.ingress.kubernetes.io/auth-secret': 'users',
  };
  assert.deepEqual(named(ingress), ['uses-secret Secret infra/ca', 'uses-secret Secret shop/users']);
});

test("a user's file adds what an operator's resources name, and corrects single settings", () => {
  const mine = file({
    kinds: [
      {
        kind: 'Shop',
        group: 'example.com',
        podTemplates: ['spec.template'],
        references: [{ path: 'spec.vault', to: ['Secret'], edge: 'uses-secret' }],
      },
      { kind: 'Deployment', group: 'apps', place: { phase: 'Prepare', layer: 7, why: 'as I like it' } },
    ],
  });
  const rules = new Rules([...BUILT_IN.files, mine]);
  const shop = object('example.com/v1', 'Shop', { spec: { vault: { name: 'v' }, template: { spec: { serviceAccountName: 'app' } } } });
  assert.deepEqual(named(shop), []);
  assert.deepEqual(named(shop, rules), ['uses-secret Secret shop/v', 'runs-as ServiceAccount shop/app']);
  assert.equal(rules.of('Deployment', 'apps').place?.layer, 7);
  assert.equal(rules.of('StatefulSet', 'apps').place?.layer, 12);
  // One group's Deployment is not another's.
  assert.equal(podTemplatesOf(object('example.com/v1', 'Deployment', { spec: { template: { spec: {} } } }), rules).length, 0);
});

test('a file can hold no code, no unknown field and no path without end', () => {
  const rule = (more: object) => ({ kinds: [{ kind: 'Shop', group: 'example.com', ...more }] });
  for (const [spec, field] of [
    [rule({ references: [{ path: 'spec.a', to: ['Secret'], when: 'process.exit()' }] }), 'when'],
    [rule({ references: [{ path: '__proto__..x', to: ['Secret'] }] }), 'path'],
    [rule({ references: [{ path: 'a.'.repeat(200) + 'a', to: ['Secret'] }] }), 'path'],
    [rule({ references: [{ path: 'spec.a', to: ['secrets'] }] }), 'to'],
    [rule({ stop: { path: 'spec.a', value: { deep: true } } }), 'value'],
    [{ kinds: Array.from({ length: 501 }, () => ({ kind: 'Shop' })) }, 'kinds'],
  ] as const) {
    const result = kindRulesSchema.safeParse({ ...file({}), spec });
    assert.ok(!result.success && JSON.stringify(result.error.issues).includes(field), field);
  }
  // A path through the prototype leads nowhere, as objects are read by their own fields only.
  const rules = new Rules([
    file(
      rule({
        references: [
          { path: '__proto__.name', to: ['Secret'] },
          { path: 'constructor.name', to: ['Secret'] },
        ],
      }),
    ),
  ]);
  assert.deepEqual(named(object('example.com/v1', 'Shop'), rules), []);
});

test('label selectors select as Kubernetes does', () => {
  const labels = { tier: 'db' };
  const by = (...matchExpressions: unknown[]) => matches({ matchExpressions }, labels);
  assert.ok(matches({ matchLabels: { tier: 'db' } }, labels));
  assert.ok(!matches({ matchLabels: { tier: 'web' } }, labels));
  assert.ok(by({ key: 'tier', operator: 'In', values: ['db', 'web'] }));
  assert.ok(!by({ key: 'tier', operator: 'NotIn', values: ['db'] }));
  assert.ok(by({ key: 'other', operator: 'NotIn', values: ['db'] }));
  assert.ok(by({ key: 'tier', operator: 'Exists' }, { key: 'other', operator: 'DoesNotExist' }));
});
