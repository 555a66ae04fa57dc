/** What every store must do. An implementation's test file calls `locationContract` inside a `describe` with a way to open one fresh location. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, it } from 'node:test';
import { codeOf } from '../errors.ts';
import type { Location } from './location.ts';
import { probeLocation } from './probe.ts';

export interface ContractOptions {
  /** Puts `names` empty objects below `prefix` faster than by the verb `put`. */
  fill?: (prefix: string, names: string[]) => Promise<void>;
}

export function locationContract(open: () => Promise<Location>, options: ContractOptions = {}): void {
  let location: Location;
  before(async () => {
    location = await open();
  });
  after(async () => await location.close());
  const is = (code: string) => (error: unknown) => codeOf(error) === code;

  void it('gives back what was put, whole and in ranges', async () => {
    const body = randomBytes(300_000);
    assert.equal(await location.put('a/b/one', body, { ifAbsent: true }), 'created');
    assert.ok(body.equals(await location.get('a/b/one', 300_000)));
    assert.ok(body.subarray(1000, 51_000).equals(await location.getRange('a/b/one', 1000, 50_000)));
    assert.ok(body.equals(await location.getRange('a/b/one', 0, 300_000)));
    assert.deepEqual([...(await location.getRange('a/b/one', 299_999, 1))], [body[299_999]]);
    assert.deepEqual(await location.head('a/b/one'), { size: 300_000 });
  });
  void it('gives bytes that are the reader’s alone', async () => {
    await location.put('own', Buffer.from('kept'), { ifAbsent: true });
    (await location.get('own', 4)).fill(0);
    (await location.getRange('own', 0, 4)).fill(0);
    assert.equal(Buffer.from(await location.get('own', 4)).toString(), 'kept');
  });
  void it('never replaces with ifAbsent, also when many write at once', async () => {
    const bodies = Array.from({ length: 16 }, (_, index) => Buffer.from(`writer ${index}`));
    const results = await Promise.all(bodies.map(async (body) => await location.put('race', body, { ifAbsent: true })));
    assert.equal(results.filter((result) => result === 'created').length, 1);
    const winner = bodies[results.indexOf('created')];
    assert.deepEqual(Buffer.from(await location.get('race', 100)), winner);
    assert.equal(await location.put('race', Buffer.from('later'), { ifAbsent: true }), 'exists');
    assert.equal(await location.put('race', winner ?? Buffer.alloc(0), { ifAbsent: true }), 'exists');
    assert.deepEqual(Buffer.from(await location.get('race', 100)), winner);
  });
  void it('refuses a short range and a large object as Integrity', async () => {
    await location.put('short', Buffer.alloc(10), { ifAbsent: true });
    for (const [offset, length] of [
      [5, 10],
      [50, 10],
      [10, 1],
      [9, 2],
    ] as const)
      await assert.rejects(location.getRange('short', offset, length), is('Integrity'), `${offset} ${length}`);
    await assert.rejects(location.get('short', 9), is('Integrity'));
  });
  void it('says NotFound for what is not there, and head says undefined', async () => {
    await assert.rejects(location.get('no/such', 10), is('NotFound'));
    await assert.rejects(location.getRange('no/such', 0, 10), is('NotFound'));
    assert.equal(await location.head('no/such'), undefined);
    await location.delete('no/such');
  });
  void it('lists a prefix in byte order and deletes', async () => {
    for (const name of ['l/a/2', 'l/a-1', 'l/a/1', 'l/b', 'l/a0', 'm']) await location.put(name, Buffer.from(name), { ifAbsent: true });
    assert.deepEqual(await namesOf(location, 'l/'), ['l/a-1', 'l/a/1', 'l/a/2', 'l/a0', 'l/b']);
    assert.deepEqual(await namesOf(location, 'l/a/'), ['l/a/1', 'l/a/2']);
    await location.delete('l/a/1');
    assert.deepEqual(await namesOf(location, 'l/a/'), ['l/a/2']);
    assert.deepEqual(await namesOf(location, 'none/'), []);
  });
  void it('lists more than ten thousand names once each, in order, with their sizes', { timeout: 480_000 }, async () => {
    const names = Array.from({ length: 10_100 }, (_, index) => `pages/n/${String(index * 7).padStart(6, '0')}`);
    const put = async (name: string): Promise<unknown> => await location.put(name, Buffer.alloc(0), { ifAbsent: true });
    if (options.fill === undefined) await spread(names, 32, put);
    else await options.fill('pages/n/', names);
    await put('pages/o');
    const found = await Array.fromAsync(location.list('pages/n/'));
    assert.deepEqual(
      found.map(({ name }) => name),
      names,
    );
    assert.ok(found.every(({ size }) => size === 0));
    // A reader may leave in the middle.
    for await (const first of location.list('pages/')) {
      assert.equal(first.name, names[0]);
      break;
    }
    // More than one request for a thousand.
    assert.deepEqual(await location.deleteMany(names.slice(0, 1100)), []);
    assert.equal((await Array.fromAsync(location.list('pages/n/'))).length, names.length - 1100);
  });
  void it('deletes many at once, those that are not there too, and nothing else', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `many/${index}/x`);
    for (const name of [...names, 'many/kept', 'many/3/y']) await location.put(name, Buffer.from(name), { ifAbsent: true });
    assert.deepEqual(await location.deleteMany([...names, 'many/no/such']), []);
    assert.deepEqual(await namesOf(location, 'many/'), ['many/3/y', 'many/kept']);
    assert.deepEqual(await location.deleteMany(names), []);
    // Where it deleted everything, there is room for new objects.
    assert.equal(await location.put('many/0/x', Buffer.from('again'), { ifAbsent: true }), 'created');
    await assert.rejects(location.deleteMany(['many/kept', 'many/../kept']), is('Internal'));
  });
  void it('says when an object was written, by the clock that it also tells', async () => {
    const earliest = await location.now();
    await location.put('time/one', Buffer.from('x'), { ifAbsent: true });
    const [found] = await Array.fromAsync(location.list('time/'));
    const latest = await location.now();
    // Stores give whole seconds.
    assert.ok(
      found !== undefined && found.modified >= earliest - 2000 && found.modified <= latest + 2000,
      `${earliest} ${found?.modified} ${latest}`,
    );
  });
  void it('refuses names that leave the location', async () => {
    for (const name of ['../x', '/x', 'a//b', 'a/../b', 'a/.', '', 'A', 'a b', 'a\0b', 'a%2fb', 'ä', 'a?b', 'x'.repeat(901)]) {
      await assert.rejects(location.put(name, Buffer.from('x'), { ifAbsent: true }), is('Internal'), name);
      await assert.rejects(location.get(name, 1), is('Internal'), name);
    }
    await assert.rejects(Array.fromAsync(location.list('../')), is('Internal'));
  });
  void it('takes every character that a name may have, and long names', async () => {
    const names = ['_/-/.x/a.b_c-9', `deep/${'d/'.repeat(40)}x`, `long/${'n'.repeat(200)}`];
    for (const name of names) {
      assert.equal(await location.put(name, Buffer.from(name), { ifAbsent: true }), 'created');
      assert.equal(Buffer.from(await location.get(name, 1000)).toString(), name);
      assert.deepEqual(await namesOf(location, name), [name]);
    }
  });
  void it('stores an empty object', async () => {
    assert.equal(await location.put('empty', Buffer.alloc(0), { ifAbsent: true }), 'created');
    assert.equal(await location.put('empty', Buffer.alloc(0), { ifAbsent: true }), 'exists');
    assert.equal((await location.get('empty', 0)).length, 0);
    assert.equal((await location.getRange('empty', 0, 0)).length, 0);
    assert.deepEqual(await location.head('empty'), { size: 0 });
  });
  void it('stores a large object, whole or not at all, and never replaces it', { timeout: 480_000 }, async () => {
    const bodies = [1, 2].map(() => randomBytes(40 << 20));
    const results = await Promise.all(bodies.map(async (body) => await location.put('large', body, { ifAbsent: true })));
    assert.deepEqual(results.toSorted(), ['created', 'exists']);
    const body = bodies[results.indexOf('created')] ?? Buffer.alloc(0);
    assert.equal(await location.put('large', Buffer.alloc(body.length), { ifAbsent: true }), 'exists');
    assert.deepEqual(await location.head('large'), { size: body.length });
    assert.ok(body.equals(await location.get('large', body.length)));
    assert.ok(body.subarray(-1000).equals(await location.getRange('large', body.length - 1000, 1000)));
  });
  void it('serves many requests at once without mixing them', async () => {
    const bodies = Array.from({ length: 64 }, (_, index) => Buffer.alloc(5000 + index, index));
    await Promise.all(bodies.map(async (body, index) => await location.put(`crowd/${index}`, body, { ifAbsent: true })));
    await Promise.all(
      bodies.map(async (body, index) => {
        assert.ok(body.equals(await location.get(`crowd/${index}`, 6000)));
        assert.ok(body.subarray(index).equals(await location.getRange(`crowd/${index}`, index, body.length - index)));
      }),
    );
  });
  void it('does nothing for a signal that was given before, and says Canceled', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(location.put('canceled', Buffer.alloc(1), { ifAbsent: true, signal }), is('Canceled'));
    await assert.rejects(location.get('race', 100, signal), is('Canceled'));
    await assert.rejects(location.getRange('race', 0, 1, signal), is('Canceled'));
    await assert.rejects(location.head('race', signal), is('Canceled'));
    await assert.rejects(Array.fromAsync(location.list('', signal)), is('Canceled'));
    await assert.rejects(location.delete('race', signal), is('Canceled'));
    await assert.rejects(location.deleteMany(['race'], signal), is('Canceled'));
    assert.equal(await location.head('canceled'), undefined);
    assert.notEqual(await location.head('race'), undefined);
  });
  void it('is found fit by the probe, which leaves nothing', async () => {
    assert.deepEqual(await probeLocation(location), { list: true, read: true, write: true, delete: true, conditional: true, refused: {} });
    assert.deepEqual(await namesOf(location, '.probe/'), []);
  });
}

async function namesOf(location: Location, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(location.list(prefix))).map(({ name }) => name);
}

async function spread<T>(items: T[], width: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
