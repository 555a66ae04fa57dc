import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachLimited } from './parallel.ts';

test('never more at once than the limit, and every item exactly once', async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  await forEachLimited([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    seen.push(item);
    running -= 1;
  });
  assert.equal(most, 3);
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7],
  );
});

test('a failure waits for the others and is then thrown', async () => {
  const ended: number[] = [];
  await assert.rejects(
    forEachLimited([1, 2, 3], 2, async (item) => {
      if (item === 1) throw new Error('first');
      await Promise.resolve();
      ended.push(item);
    }),
    /first/,
  );
  assert.deepEqual(
    ended.toSorted((a, b) => a - b),
    [2, 3],
  );
});

test('no items is no work', async () => {
  await forEachLimited([], 4, () => Promise.reject(new Error('called')));
});
