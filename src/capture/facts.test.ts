import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { milliOf } from '../api/quantity.ts';
import { FACT_KINDS } from './fact-kinds.ts';
import { requestsOf } from './facts.ts';
import { addSchemas } from './field-trees.ts';
import { pickObject } from './pick.ts';

test('only the named fields are kept, and items keep their places', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels: { a: 'b' }, annotations: { keep: 'x', drop: 'secret' }, uid: 'u' },
    spec: { taints: [{ key: 'k' }], other: 'secret' },
    status: { conditions: [{ type: 'Ready', status: 'True', message: 'secret' }, { message: 'secret' }] },
  };
  const kept = pickObject(object, [
    'metadata.labels',
    'metadata.annotations["keep"]',
    'spec.taints',
    'status.conditions[*].type',
    'status.conditions[*].status',
  ]);
  assert.deepEqual(kept, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels: { a: 'b' }, annotations: { keep: 'x' } },
    spec: { taints: [{ key: 'k' }] },
    status: { conditions: [{ type: 'Ready', status: 'True' }, {}] },
  });
});

test('what a pod reserves: the sum of its containers and sidecars, or its largest init container', () => {
  const of = (cpu: string, more = {}) => ({ resources: { requests: { cpu, memory: '1Gi' } }, ...more });
  assert.deepEqual(requestsOf({ containers: [of('500m'), of('1')] }), { cpuMillis: 1500, memoryBytes: 2 * 2 ** 30 });
  assert.equal(requestsOf({ containers: [of('500m')], initContainers: [of('3')] }).cpuMillis, 3000);
  assert.equal(requestsOf({ containers: [of('500m')], initContainers: [of('3', { restartPolicy: 'Always' })] }).cpuMillis, 3500);
  assert.equal(requestsOf({ containers: [{ resources: { limits: { cpu: '2' } } }], overhead: { cpu: '100m' } }).cpuMillis, 2100);
  assert.deepEqual([milliOf('250m'), milliOf('2'), milliOf('1.5'), milliOf('100u'), milliOf('x')], [250, 2000, 1500, 1, 0]);
});

test('schemas are cut down to names', () => {
  const trees = { kinds: {}, trees: {}, unread: [] };
  addSchemas(trees, {
    components: {
      schemas: {
        Widget: {
          description: 'long',
          properties: {
            metadata: { allOf: [{ $ref: '#/components/schemas/Meta' }], default: {} },
            spec: { $ref: '#/components/schemas/Spec' },
          },
          'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Widget' }],
        },
        Spec: {
          properties: {
            list: { type: 'array', items: { type: 'string' } },
            any: { 'x-kubernetes-preserve-unknown-fields': true, properties: { a: {} } },
          },
        },
      },
    },
  });
  assert.deepEqual(trees, {
    kinds: { 'example.com/v1/Widget': 'Widget' },
    trees: {
      Widget: { properties: { metadata: { ref: 'Meta' }, spec: { ref: 'Spec' } } },
      Spec: { properties: { list: { items: { open: true } }, any: { open: true } } },
    },
    unread: [],
  });
});

test('the manual names every kind that is read', () => {
  const manual = readFileSync(new URL('../../docs/assess.md', import.meta.url), 'utf8');
  const missing = FACT_KINDS.filter(({ kind }) => kind !== '*' && !new RegExp(`\\b${kind}\\b`).test(manual));
  assert.deepEqual(
    missing.map(({ kind }) => kind),
    [],
  );
  assert.ok(FACT_KINDS.every(({ kind }) => kind !== 'Secret' && kind !== 'ConfigMap'));
});
