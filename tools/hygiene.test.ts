import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breaches, rules } from './hygiene.ts';

const list = rules('/srv/checkout', '/home/ann');

test('a path of the machine is found, the same word inside another path is not', () => {
  assert.deepEqual(breaches('a.md', 'see /srv/checkout/src/x.ts', list), ['a.md:1 holds a path of one machine']);
  assert.deepEqual(breaches('a.md', 'cd /home/ann/x', list).length, 1);
  assert.deepEqual(breaches('a.ts', 'run("/proc/1/root/etc"); image("/var/home/ann/x")', list), []);
});

test('the registry of a package client is found', () => {
  assert.equal(
    breaches('x.yaml', `a\nurl: https://${['registry', 'npmjs', 'org'].join('.')}/x`, list)[0],
    'x.yaml:2 names a package registry; clients know theirs from their own configuration',
  );
});

test('an exclusive test is found in tests only', () => {
  const line = ['test', "only('x', () => {});"].join('.');
  assert.equal(breaches('x.test.ts', line, list).length, 1);
  assert.equal(breaches('docs/x.md', line, list).length, 0);
});
