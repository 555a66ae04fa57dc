import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captured } from '../../plan/fixtures/shop.ts';
import { assessCase, deployment, found, object, thing, type Row } from '../fixtures/sides.ts';

const API = 'apiextensions.k8s.io/v1';
const definition = (scope: string, served: string[], more: Record<string, unknown> = {}) =>
  thing(
    'CustomResourceDefinition',
    'widgets.example.com',
    {
      spec: {
        group: 'example.com',
        scope,
        names: { kind: 'Widget' },
        versions: served.map((name, index) => ({ name, served: true, storage: index === 0 })),
        ...more,
      },
    },
    API,
  );
const widget = captured(object('Widget', 'w', {}, 'example.com/v1'));
const moves = (here: ReturnType<typeof definition>, there: ReturnType<typeof definition>) => ({
  objects: [captured(here, { role: 'related', shared: true }), widget],
  target: { facts: { objects: [there] } },
});
const written = (apiVersion: string) =>
  object('PodDisruptionBudget', 'web', { metadata: { managedFields: [{ manager: 'helm', apiVersion }] } }, 'policy/v1');
const claims = (apiVersion: string) =>
  object('ResourceClaimTemplate', 'gpu', { metadata: { managedFields: [{ manager: 'kubectl', apiVersion }] } }, 'resource.k8s.io/v1');
const trees = {
  kinds: { 'apps/v1/Deployment': 'Deployment' },
  trees: {
    Deployment: {
      properties: {
        apiVersion: { open: true as const },
        kind: { open: true as const },
        metadata: { open: true as const },
        spec: { ref: 'Spec' },
      },
    },
    Spec: { properties: { replicas: { open: true as const }, template: { open: true as const } } },
  },
  unread: [],
};
const aggregated = (status: string) =>
  thing(
    'APIService',
    'v1.example.com',
    {
      spec: { group: 'example.com', version: 'v1', service: { namespace: 'x', name: 'y' } },
      status: { conditions: [{ type: 'Available', status }] },
    },
    'apiregistration.k8s.io/v1',
  );

const rows: Row[] = [
  [
    'warn FieldNotKnown',
    { objects: [deployment({}, { newField: 1 })], target: { facts: { schemas: trees } } },
    { objects: [deployment({})], target: { facts: { schemas: trees } } },
  ],
  ['unknown SchemaNotRead', { objects: [deployment({})] }, { objects: [deployment({})], target: { facts: { schemas: trees } } }],
  [
    'block DefinitionScopeDiffers',
    moves(definition('Namespaced', ['v1']), definition('Cluster', ['v1'])),
    moves(definition('Namespaced', ['v1']), definition('Namespaced', ['v1'])),
  ],
  [
    'warn DefinitionVersionMissing',
    moves(definition('Namespaced', ['v1']), definition('Namespaced', ['v1beta1'])),
    moves(definition('Namespaced', ['v1', 'v1beta1']), definition('Namespaced', ['v1'])),
  ],
  [
    'info DefinitionStorageDiffers',
    moves(definition('Namespaced', ['v1', 'v2']), definition('Namespaced', ['v2', 'v1'])),
    moves(definition('Namespaced', ['v1', 'v2']), definition('Namespaced', ['v1'])),
  ],
  [
    'warn DefinitionConversionDiffers',
    moves(definition('Namespaced', ['v1']), definition('Namespaced', ['v1'], { conversion: { strategy: 'Webhook' } })),
    moves(definition('Namespaced', ['v1']), definition('Namespaced', ['v1'], { conversion: { strategy: 'None' } })),
  ],
  [
    'block AggregatedApiUnavailable',
    { objects: [widget], target: { facts: { objects: [aggregated('False')] } } },
    { objects: [widget], target: { facts: { objects: [aggregated('True')] } } },
  ],
  ['warn ApiVersionRemoved', { objects: [written('policy/v1beta1')] }, { objects: [written('policy/v1')] }],
  ['info ApiVersionDeprecated', { objects: [claims('resource.k8s.io/v1beta1')] }, { objects: [written('policy/v1')] }],
  [
    'unknown ApiVersionUnknown',
    { objects: [written('policy/v1')], target: { surface: { cluster: { id: 'b', name: 'new', version: 'v1.99.0' } } } },
    { objects: [written('policy/v1')] },
  ],
];

for (const [expected, has, hasNot] of rows) {
  test(expected, () => {
    const [, id = ''] = expected.split(' ');
    assert.equal(found(assessCase(has), id), expected);
    assert.equal(found(assessCase(hasNot), id), '');
  });
}
