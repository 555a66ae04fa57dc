import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { differences } from './difference.ts';
import { manifestHash } from './hash.ts';

const object = (spec: unknown): KubeObject => ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, spec });
const paths = (expected: unknown, actual: unknown) => differences(object(expected), object(actual)).map(({ path }) => path);

test('what the server adds does not count', () => {
  assert.deepEqual(paths({ a: 1 }, { a: 1, b: 2 }), []);
  assert.deepEqual(paths({ ports: [{ port: 80 }] }, { ports: [{ port: 80, nodePort: 31000 }] }), []);
  assert.deepEqual(paths({ volumes: [{ name: 'b' }] }, { volumes: [{ name: 'injected' }, { name: 'b' }] }), []);
});

test('what it drops or changes does', () => {
  assert.deepEqual(paths({ a: 1 }, {}), ['/spec/a']);
  assert.deepEqual(paths({ a: { 'b/c': 1 } }, { a: { 'b/c': 2 } }), ['/spec/a/b~1c']);
  assert.deepEqual(paths({ env: [{ name: 'A', value: '1' }] }, { env: [{ name: 'A', value: '2' }] }), ['/spec/env/0/value']);
  assert.deepEqual(paths({ list: ['a', 'b'] }, { list: ['a'] }), ['/spec/list/1']);
});

test('absent, null and empty are the same', () => {
  assert.deepEqual(paths({ a: null, b: {}, c: [], d: '' }, {}), []);
  assert.deepEqual(paths({ a: false, b: 0 }, {}), ['/spec/a', '/spec/b']);
});

test('the hash knows content, not order', () => {
  assert.equal(
    manifestHash(object({ a: 1, b: [1, 2] })),
    manifestHash({ spec: { b: [1, 2], a: 1 }, metadata: { name: 'a' }, kind: 'X', apiVersion: 'v1' }),
  );
  assert.notEqual(manifestHash(object({ b: [1, 2] })), manifestHash(object({ b: [2, 1] })));
});
