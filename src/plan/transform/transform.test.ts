import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../api/object.ts';
import { transformSchema, type TransformInput } from '../../api/transform.ts';
import { transformObject, type Transformed } from './transform.ts';

const web: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'store', labels: { tier: 'front' } },
  spec: { replicas: 3, template: { spec: { containers: [{ name: 'web', image: 'a', env: [{ name: 'A', value: '1' }] }] } } },
};
const identity = { group: 'apps', version: 'v1', resource: 'deployments', name: 'web', namespace: 'shop' };

function transform(...inputs: (Omit<TransformInput, 'name' | 'subject'> & { subject?: TransformInput['subject'] })[]): Transformed {
  const list = inputs.map((each, index) => transformSchema.parse({ name: `t${index}`, subject: { resource: 'deployments' }, ...each }));
  return transformObject(web, identity, list);
}
const outcomes = (given: Transformed) => given.results.map(({ operations }) => operations.map(({ outcome }) => outcome));
const set = (value: unknown) => ({ op: 'replace' as const, path: '/spec/replicas', value: value as number });

describe('subject', () => {
  const fitting = (subject: object) => transform({ subject, json: [set(1)] }).results.length === 1;
  test('all that is named must fit', () => {
    assert.ok(fitting({ group: 'apps', version: 'v1', resource: 'deployments', name: 'web' }));
    for (const other of [{ group: '' }, { version: 'v1beta1' }, { resource: 'Deployment' }, { name: 'we' }])
      assert.ok(!fitting({ group: 'apps', ...other }), JSON.stringify(other));
  });
  test('names and namespaces are those of the source, with wildcards for namespaces', () => {
    assert.ok(fitting({ namespaces: ['shop'] }));
    assert.ok(fitting({ namespaces: ['blog', 'sh*'] }));
    assert.ok(!fitting({ namespaces: ['store'] }));
    assert.ok(fitting({ nameRegex: '^w' }));
    assert.ok(!fitting({ nameRegex: '^e' }));
  });
  test('group and resource together, as other tools write them', () => {
    for (const glob of ['deployments.apps', '*.apps', '**', '{deployments,statefulsets}.apps', 'deploy?????.apps'])
      assert.ok(fitting({ groupResource: glob }), glob);
    for (const glob of ['*', 'deployments', 'deploymentsxapps']) assert.ok(!fitting({ groupResource: glob }), glob);
  });
  test('labels and fields', () => {
    assert.ok(fitting({ labels: { matchLabels: { tier: 'front' } } }));
    assert.ok(!fitting({ labels: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['front'] }] } }));
    assert.ok(fitting({ where: [{ path: '/spec/replicas', value: 3 }, { path: '/spec/template' }] }));
    assert.ok(!fitting({ where: [{ path: '/spec/replicas', value: 4 }] }));
  });
  test('it is asked of the object as it was before the first transform', () => {
    const given = transform({ json: [set(1)] }, { subject: { where: [{ path: '/spec/replicas', value: 3 }] }, json: [set(2)] });
    assert.equal(given.results.length, 2);
    assert.deepEqual((given.object.spec as { replicas: number }).replicas, 2);
  });
  test('a subject that names nothing is refused', () => {
    assert.throws(() => transform({ subject: {}, json: [set(1)] }), /at least one/);
  });
});

test('a test that does not hold skips the rest of its transform, and no other', () => {
  const given = transform(
    { json: [set(1), { op: 'test', path: '/spec/paused' }, set(2)] },
    { json: [{ op: 'copy', from: '/spec/replicas', path: '/spec/was' }] },
  );
  assert.deepEqual(outcomes(given), [['Changed', 'NotHeld', 'Skipped'], ['Changed']]);
  assert.deepEqual((given.object.spec as { was: number }).was, 1);
});

test('with UndoAll it takes back what came before it, too', () => {
  const given = transform({ onTestFailed: 'UndoAll', json: [set(1), { op: 'test', path: '/spec/paused' }] });
  assert.deepEqual(given.object, web);
  assert.deepEqual(outcomes(given), [['Unchanged', 'NotHeld']]);
});

test('an operation that can not be done ends it, and the object stays as it was before that transform', () => {
  const given = transform({ json: [set(1)] }, { json: [set(2), { op: 'remove', path: '/spec/paused' }] }, { json: [set(3)] });
  assert.deepEqual(given.problem, { transform: 't1', operation: 'remove /spec/paused', reason: '/spec/paused does not exist' });
  assert.deepEqual(outcomes(given), [['Changed'], ['Changed', 'Failed']]);
  assert.equal((given.object.spec as { replicas: number }).replicas, 1);
});

test('what an object is and where it lives can not be transformed', () => {
  for (const [operation, message] of [
    [{ op: 'replace', path: '/metadata/namespace', value: 'kube-system' }, /map the namespace instead/],
    [{ op: 'remove', path: '/metadata/namespace' }, /map the namespace instead/],
    [{ op: 'replace', path: '/kind', value: 'ClusterRoleBinding' }, /apiVersion or kind/],
    [{ op: 'replace', path: '/metadata', value: 'x' }, /metadata is no map/],
    [{ op: 'replace', path: '/metadata/labels', value: [] }, /labels is no map/],
    [{ op: 'replace', path: '/metadata/name', value: '' }, /without a name/],
  ] as const) {
    const { problem, object } = transform({ json: [operation] });
    assert.match(problem?.reason ?? '', message);
    assert.deepEqual(object, web);
  }
  assert.match(transform({ merge: [{ metadata: { namespace: null } }] }).problem?.reason ?? '', /map the namespace/);
});

test('a list of copies that doubles an object each time ends with a reason, not with the memory', () => {
  const json = [
    { op: 'add' as const, path: '/x', value: { text: 'y'.repeat(1000) } },
    ...Array.from({ length: 60 }, (_, n) => ({ op: 'copy' as const, from: '/x', path: `/x/n${n}` })),
  ];
  assert.match(transform({ json }).problem?.reason ?? '', /grows beyond/);
});

test('a merge patch merges maps, removes with null and replaces lists', () => {
  const { object, results } = transform({
    merge: [{ spec: { replicas: null, template: { spec: { containers: [{ name: 'x' }] } } }, metadata: { labels: { a: 'b' } } }],
  });
  assert.deepEqual(object, {
    ...web,
    metadata: { ...web.metadata, labels: { tier: 'front', a: 'b' } },
    spec: { template: { spec: { containers: [{ name: 'x' }] } } },
  });
  const changed = results[0]?.operations[0]?.changes.map(({ path }) => path) ?? [];
  const inContainer = ['image', 'env', 'name'].map((field) => `/spec/template/spec/containers/0/${field}`);
  assert.deepEqual(new Set(changed), new Set(['/metadata/labels/a', '/spec/replicas', ...inContainer]));
});

describe('a strategic merge patch', () => {
  const containers = (patch: unknown) => {
    const { object, problem } = transform({ strategic: [{ spec: { template: { spec: patch } } }] });
    assert.equal(problem, undefined);
    return (object.spec as { template: { spec: Record<string, unknown> } }).template.spec;
  };
  test('knows what the items of a list are called', () => {
    assert.deepEqual(
      containers({
        containers: [
          { name: 'web', image: 'b', env: [{ name: 'B', value: '2' }] },
          { name: 'new', image: 'c' },
        ],
      }),
      {
        containers: [
          {
            name: 'web',
            image: 'b',
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
          },
          { name: 'new', image: 'c' },
        ],
      },
    );
  });
  test('its directives remove and replace', () => {
    assert.deepEqual(containers({ containers: [{ name: 'web', $patch: 'delete' }] }), { containers: [] });
    assert.deepEqual(containers({ containers: [{ $patch: 'replace' }, { name: 'only' }] }), { containers: [{ name: 'only' }] });
    assert.deepEqual(containers({ $patch: 'replace', nodeName: 'x' }), { nodeName: 'x' });
    assert.deepEqual(containers({ $retainKeys: ['x'], x: 1 }), { x: 1 });
  });
  test('lists without such a name are replaced', () => {
    assert.deepEqual(containers({ tolerations: [{ key: 'a' }] })['tolerations'], [{ key: 'a' }]);
  });
  test('is not for custom resources: nobody knows their lists', () => {
    const list = [transformSchema.parse({ name: 'x', subject: { group: 'example.com' }, strategic: [{ spec: {} }] })];
    const { problem } = transformObject(web, { ...identity, group: 'example.com' }, list);
    assert.match(problem?.reason ?? '', /not a kind of the API server; use merge/);
  });
});

/** Numbers that look random and are the same each time. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

test('property: a transform never touches an object that it does not mean, nor what it was given', () => {
  const paths = [
    '/spec/replicas',
    '/spec/*',
    '/**',
    '/**/name',
    '/spec/template/spec/containers/*/image',
    '/metadata/labels/x',
    '/spec/none/x',
    '/-',
    '/spec/template/spec/containers/-',
  ];
  for (let seed = 1; seed <= 400; seed += 1) {
    const pick = randomly(seed);
    const path = () => paths[pick(paths.length)] ?? '';
    const operation = () =>
      [
        { op: 'test', path: path() },
        { op: 'add', path: path(), value: { seed } },
        { op: 'remove', path: path() },
        { op: 'replace', path: path(), value: `v${seed}` },
        { op: 'copy', from: path(), path: '/spec/copied' },
        { op: 'move', from: path(), path: '/spec/moved' },
      ][pick(6)];
    const json = Array.from({ length: 1 + pick(4) }, operation);
    const subject = { name: ['web', 'other'][pick(2)], ...(pick(2) === 0 && { namespaces: [['shop', 'blog'][pick(2)]] }) };
    const list = [transformSchema.parse({ name: 'x', subject, json })];
    const before = JSON.stringify(web);
    const { object, results, problem } = transformObject(web, identity, list);
    const meant = subject.name === 'web' && (subject.namespaces?.[0] ?? 'shop') === 'shop';
    assert.equal(JSON.stringify(web), before, 'the input is as it was');
    assert.equal(results.length === 1, meant);
    if (!meant || problem !== undefined) assert.deepEqual(object, web);
    assert.equal(object.metadata.namespace, 'store');
    assert.equal(object.kind, 'Deployment');
    // What is said to be unchanged is unchanged.
    if (results.every(({ operations }) => operations.every(({ changes }) => changes.length === 0))) assert.deepEqual(object, web);
  }
});
