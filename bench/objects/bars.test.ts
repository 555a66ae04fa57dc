import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectVerdicts, rateOf, type ObjectRow } from './bars.ts';
import { mixed, plain } from './content.ts';

const row = (
  work: ObjectRow['work'],
  tool: ObjectRow['tool'],
  step: ObjectRow['step'],
  seconds: number,
  more: Partial<ObjectRow> = {},
): ObjectRow => ({
  work,
  tool,
  step,
  objects: 1000,
  seconds,
  ...more,
});
const verdict = (rows: ObjectRow[], work: string, bar: RegExp) => {
  const found = objectVerdicts(rows).filter((one) => one.work === work && bar.test(one.bar));
  assert.equal(found.length, 1, `one bar ${work} ${bar}`);
  return { value: found[0]?.value, met: found[0]?.met };
};

test('rates are objects per second, of repetitions the median', () => {
  assert.equal(
    rateOf(
      [1, 4, 2].map((seconds) => row('one', 'loop', 'create', seconds)),
      'one',
      'loop',
      'create',
    ),
    500,
  );
  assert.equal(rateOf([], 'one', 'loop', 'create'), undefined);
});

test('apply stands against the loop, and against Velero both ways', () => {
  const rows = [
    row('one', 'loop', 'create', 1),
    row('one', 'tranship', 'apply', 1.25, { requests: 1200 }),
    row('one', 'velero', 'restore', 25),
    row('one', 'velero-1000', 'restore', 20),
  ];
  assert.deepEqual(verdict(rows, 'one: apply', /loop/), { value: 80, met: true });
  assert.deepEqual(verdict(rows, 'one: apply', /as it comes/), { value: 20, met: false });
  assert.deepEqual(verdict(rows, 'one: apply', /raised/), { value: 16, met: true });
  assert.deepEqual(verdict(rows, 'one: apply', /requests/), { value: 1.2, met: false });
});

test('what was not measured is neither met nor missed', () => {
  for (const one of objectVerdicts([])) assert.deepEqual([one.value, one.met], [undefined, undefined], one.bar);
});

test('memory counts the worst repetition', () => {
  const rows = [100, 300, 200].map((peakMebibytes) => row('crowd', 'tranship', 'apply', 1, { peakMebibytes }));
  assert.deepEqual(verdict(rows, 'crowd: apply', /peak/), { value: 300, met: false });
});

test('a mixed namespace has 200 objects, each name once per kind', () => {
  const items = mixed('a');
  assert.equal(items.length, 200);
  assert.equal(new Set(items.map(({ object }) => `${object.kind}/${object.metadata.name}`)).size, 200);
  assert.equal(plain('a', 10).filter(({ object }) => object.kind === 'Secret').length, 5);
  assert.equal(plain('a', 10, 'secrets').filter(({ object }) => object.kind === 'Secret').length, 10);
});
