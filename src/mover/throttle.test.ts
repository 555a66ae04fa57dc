import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { type ChunkRef, volumeStore } from '../archive/index.ts';
import type { Location } from '../location/index.ts';
import { fetchChunks } from './fetch.ts';
import { Throttle } from './throttle.ts';

const rate = 2 << 20;

/** A clock that only sleeping moves, and the bytes that pass at each time. */
function world(): {
  time: { now(): number; sleep(ms: number): Promise<void> };
  pass: (bytes: number) => void;
  check: (total: number) => void;
} {
  let now = 0;
  const passed: [at: number, bytes: number][] = [];
  return {
    time: {
      now: () => now,
      sleep: async (ms) => {
        now += ms;
      },
    },
    pass: (bytes) => passed.push([now, bytes]),
    check(total) {
      const sum = (from: number, to: number): number =>
        passed.reduce((bytes, [at, more]) => (at >= from && at < to ? bytes + more : bytes), 0);
      assert.ok(sum(0, Infinity) >= total);
      assert.ok(now > 15_000, `${now} ms`);
      for (let from = 0; from + 10_000 <= now; from += 100) {
        const share = sum(from, from + 10_000) / (10 * rate);
        assert.ok(share > 0.9 && share < 1.1, `${share} of the rate in the 10 s from ${from} ms on`);
      }
    },
  };
}

describe('the bandwidth limit of a stream is kept within 10 % in any 10 s', () => {
  it('when it stores packs', async () => {
    const { time, pass, check } = world();
    const put: Location['put'] = async (_, body) => {
      pass(body.length);
      return 'created';
    };
    const throttle = new Throttle(rate, time);
    const store = volumeStore({ url: 'memory', put } as Location, 'a'.repeat(24), randomBytes(32), 'v');
    const writer = store.packWriter(0, { throttle: async (bytes) => await throttle.take(bytes), target: throttle.grain, overlap: false });
    const chunk = randomBytes(1 << 20);
    for (let number = 0; number < 40; number++) await writer.append(chunk, `${number}`);
    await writer.finish();
    check(40 << 20);
  });

  it('when it fetches chunks', async () => {
    const { time, pass, check } = world();
    const throttle = new Throttle(rate, time);
    const refs = Array.from({ length: 40 }, (_, number): ChunkRef => [`${number}`, '0.p', number << 20, 1 << 20, 1 << 20, 0]);
    const readStored = async (_: string, offset: number, length: number): Promise<Buffer> => {
      pass(length);
      return Buffer.alloc(length, offset >> 20);
    };
    let metered = 0;
    for (let at = 0; at < refs.length; at += 4) {
      const fetched = await fetchChunks({ readStored }, refs.slice(at, at + 4), throttle, (bytes) => (metered += bytes));
      for (const [index, ref] of refs.slice(at, at + 4).entries()) assert.ok(fetched.get(ref).equals(Buffer.alloc(1 << 20, at + index)));
      fetched.release();
    }
    assert.equal(metered, 40 << 20);
    check(40 << 20);
  });
});
