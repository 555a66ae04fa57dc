import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find, parsePath, pointerOf } from './fields.ts';
import type { ResourceType } from './object.ts';
import { chooseVersion, compareVersions } from './served.ts';

const type = (...versions: string[]): ResourceType => ({
  group: 'g',
  version: versions[0] ?? '',
  resource: 'xs',
  kind: 'X',
  namespaced: true,
  verbs: [],
  versions,
});

test('the version to carry: the target prefers, then the source, then the highest in common', () => {
  assert.equal(chooseVersion(type('v2', 'v1'), type('v1', 'v2')), 'v1');
  assert.equal(chooseVersion(type('v2', 'v1beta1'), type('v3', 'v2', 'v1beta1')), 'v2');
  assert.equal(chooseVersion(type('v3', 'v1beta1', 'v1beta2'), type('v4', 'v1beta1', 'v1beta2')), 'v1beta2');
  assert.equal(chooseVersion(type('v1'), type('v2')), undefined);
  assert.equal(chooseVersion(type('v1'), undefined), 'v1');
});

test('versions in the order of the API conventions', () => {
  assert.deepEqual(['v1alpha1', 'v2', 'v1beta2', 'v10', 'v1beta10', 'x'].toSorted(compareVersions), [
    'v10',
    'v2',
    'v1beta10',
    'v1beta2',
    'v1alpha1',
    'x',
  ]);
});

test('paths find, set and remove', () => {
  assert.deepEqual(parsePath('a.b[*].c["x.y/z"]'), ['a', 'b', '*', 'c', 'x.y/z']);
  assert.equal(pointerOf(['a/b', '~', 0]), '/a~1b/~0/0');
  const object = { a: [{ b: 1 }, { c: 2 }, { b: 3 }] };
  const hits = find(object, 'a[*].b');
  assert.deepEqual(
    hits.map(({ pointer, value }) => [pointer, value]),
    [
      ['/a/0/b', 1],
      ['/a/2/b', 3],
    ],
  );
  hits[0]?.set(9);
  hits[1]?.remove();
  assert.deepEqual(object, { a: [{ b: 9 }, { c: 2 }, {}] });
});
