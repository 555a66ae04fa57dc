import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, integer, migrationName, namespaceList, oneOf, pairs, seconds } from './values.ts';

test('streams are 1 to 16, everything else says so', () => {
  assert.equal(integer(1, 16)('16'), 16);
  for (const wrong of ['0', '17', '-1', '2.5', 'many', '', '0x2'])
    assert.throws(() => integer(1, 16)(wrong), /whole number from 1 to 16/, wrong);
});

test('words are taken in any case and returned as the API writes them', () => {
  assert.equal(oneOf('Skip', 'Update')('update'), 'Update');
  assert.throws(() => oneOf('Skip', 'Update')('upsert'), /Use one of Skip, Update\./);
});

test('bytes carry a unit', () => {
  assert.deepEqual(
    ['500K', '20Mi', '1.5G', '10MiB/s', '7'].map((text) => bytes(text)),
    [500_000, 20 * 2 ** 20, 1.5e9, 10 * 2 ** 20, 7],
  );
  for (const wrong of ['', 'fast', '0', '-1M', '5 apples']) assert.throws(() => bytes(wrong), /bytes with a unit/, wrong);
});

test('times carry a unit', () => {
  assert.deepEqual(
    ['90', '90s', '10m', '1h'].map((text) => seconds(text)),
    [90, 90, 600, 3600],
  );
  assert.throws(() => seconds('soon'), /90s, 10m or 1h/);
});

test('namespaces are repeated or separated by commas, without doubles', () => {
  assert.deepEqual(namespaceList('wiki', namespaceList('shop,blog', undefined)), ['shop', 'blog', 'wiki']);
  assert.deepEqual(namespaceList('shop', ['shop']), ['shop']);
  assert.throws(() => namespaceList('Shop', undefined), /"Shop" is not the name of a namespace/);
});

test('a malformed map names the part that is wrong', () => {
  const read = pairs('namespace');
  assert.deepEqual(read('a=b,c=d', undefined), [
    { from: 'a', to: 'b' },
    { from: 'c', to: 'd' },
  ]);
  for (const wrong of ['a', 'a=', '=b', 'a=b=c']) assert.throws(() => read(wrong, undefined), new RegExp(`"${wrong}" is not of that form`));
  assert.throws(() => read('a=c', [{ from: 'a', to: 'b' }]), /a is mapped twice/);
});

test('the name of a migration is short enough for what is made from it', () => {
  assert.equal(migrationName('shop-to-new'), 'shop-to-new');
  for (const wrong of ['Shop', 'a'.repeat(41), '-a', 'a_b']) assert.throws(() => migrationName(wrong), /at most 40/, wrong);
});
