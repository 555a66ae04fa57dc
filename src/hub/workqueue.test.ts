import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkQueue } from './workqueue.ts';

describe('WorkQueue', () => {
  it('holds a key once and gives keys in the order they came', async () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    assert.deepEqual([await queue.take(), await queue.take(), await queue.take()], ['a', 'b', 'c']);
    const next = queue.take();
    queue.close();
    assert.equal(await next, undefined);
  });

  it('never gives a key that is being worked on, and gives it once more afterwards', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    assert.equal(await queue.take(), 'a');
    queue.add('a');
    queue.add('a');
    queue.add('b');
    assert.equal(await queue.take(), 'b');
    queue.done('a');
    assert.equal(await queue.take(), 'a');
    queue.done('a');
    const next = queue.take();
    queue.close();
    assert.equal(await next, undefined);
  });

  it('delays, and keeps the earliest of several delays', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const queue = new WorkQueue();
    const given: (string | undefined)[] = [];
    void queue.take().then((key) => given.push(key));
    queue.addAfter('a', 5000);
    queue.addAfter('a', 1000);
    queue.addAfter('a', 3000);
    t.mock.timers.tick(999);
    await Promise.resolve();
    assert.deepEqual(given, []);
    t.mock.timers.tick(1);
    await Promise.resolve();
    assert.deepEqual(given, ['a']);
    queue.close();
  });

  it('doubles the delay of failures up to the limit, and starts again after a success', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const queue = new WorkQueue({ baseMs: 100, maxMs: 1000 });
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map(() => queue.addFailed('a')),
      [100, 200, 400, 800, 1000, 1000],
    );
    assert.equal(queue.addFailed('b'), 100);
    queue.forget('a');
    assert.equal(queue.addFailed('a'), 100);
    queue.close();
  });
});
