import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { codeOf, TranshipError } from '../../errors.ts';
import { openLocation } from '../../location/index.ts';
import { memoryStore } from '../../location/testing/memory-store.ts';
import { wrapLocation } from '../../location/testing/wrap.ts';
import { openArchive, openRetention } from '../index.ts';
import { leftovers, lineageOn, namesOf } from '../testing/lineage-rig.ts';

const hour = 3_600_000;
const filler = (text: string): string => `${text} `.repeat(200);

/** Three restore points over four rounds of each volume; the second is named by none. */
async function threePoints(volumes = ['db', 'files']) {
  const store = memoryStore();
  const rig = await lineageOn(store);
  for (const volume of volumes) {
    await rig.copy(store, volume, 0, undefined, { a: [filler('one')], b: ['x', 'y', filler('shared')], [volume]: [] });
    await rig.copy(store, volume, 1, 0, { a: [filler('warm')], b: ['x', 'y', filler('shared')] });
    await rig.copy(store, volume, 2, 1, { a: [filler('two')], b: ['x', 'y', filler('shared')] });
    await rig.copy(store, volume, 3, 2, { a: [filler('three')], b: ['x', 'y', filler('shared')] });
  }
  for (const [point, round] of [
    ['p0', 0],
    ['p2', 2],
    ['p3', 3],
  ] as const)
    await rig.commit(store, point, Object.fromEntries(volumes.map((volume) => [volume, round])));
  return { store, rig };
}

async function bytesIn(store: ReturnType<typeof memoryStore>): Promise<number> {
  return (await Array.fromAsync(store.list(''))).reduce((sum, { size }) => sum + size, 0);
}

describe('deleting restore points', () => {
  test('frees what nobody else uses, keeps what others share, and what stays restores', async () => {
    const { store, rig } = await threePoints();
    const result = await rig.retain(store, { points: ['p2'] });
    assert.deepEqual(result.points, [{ name: 'p2', finished: true }]);
    assert.ok(result.bytes > 0);
    assert.deepEqual(await rig.checkAll(store), ['p0', 'p3']);
    // The warm round 1 went as well: it was a step on the way.
    assert.deepEqual(
      (await namesOf(store, rig)).filter((name) => name.includes('/rounds/')).map((name) => name.slice(-1)),
      ['0', '3', '0', '3'],
    );
    await rig.retain(store, { points: ['p0', 'p3'] });
    assert.deepEqual(await leftovers(store, rig), []);
    assert.deepEqual(await rig.checkAll(store), []);
  });

  test('a dry run writes nothing, and says to the byte what is freed', async () => {
    for (const points of [['p0'], ['p2'], ['p3'], ['p0', 'p3'], ['p0', 'p2', 'p3'], []]) {
      const { store, rig } = await threePoints();
      // A killed copy and papers of a restore point that never came, both old.
      await rig
        .copy(wrapLocation(store, { before: async ({ verb, name }) => dieAt(verb === 'put' && name.includes('/rounds/')) }), 'db', 4, 3, {
          a: ['lost'],
        })
        .catch(() => {});
      await (await openArchive({ location: store, ...rig })).writeSection('never', 'objects', { a: 1 });
      await (await openArchive({ location: store, ...rig })).writeSection('papers', 'plan', { a: 1 });
      store.pass(48 * hour);
      const readOnly = wrapLocation(store, {
        before: async ({ verb }) => {
          assert.ok(!['put', 'delete', 'deleteMany'].includes(verb), `a dry run did ${verb}`);
          await Promise.resolve();
        },
      });
      const options = { points, abandonedAfterMs: 24 * hour, keepSections: ['papers'] };
      const dry = await rig.retain(readOnly, { ...options, dryRun: true });
      const before = new Map(store.objects);
      const real = await rig.retain(store, options);
      const gone = [...before.keys()].filter((name) => !store.objects.has(name));
      assert.equal(
        dry.bytes,
        gone.reduce((sum, name) => sum + (before.get(name)?.body.length ?? 0), 0),
        String(points),
      );
      assert.equal(dry.objects, gone.length);
      assert.equal(real.bytes, dry.bytes);
      assert.equal(real.objects, dry.objects);
      assert.deepEqual(
        real.points,
        dry.points.map(({ name, finished }) => ({ name, finished })),
      );
      assert.ok((await openArchive({ location: store, ...rig }).then((archive) => archive.readSection('papers', 'plan'))) !== undefined);
    }
  });

  test('a dry run says what each restore point frees by itself', async () => {
    const { store, rig } = await threePoints();
    const retention = await openRetention({ location: store, ...rig });
    const { points, reclaimableBytes } = await retention.list();
    const dry = await rig.retain(store, { points: ['p0', 'p3'], dryRun: true });
    assert.deepEqual(
      dry.points.map(({ name, bytes }) => [name, bytes]),
      points.filter(({ name }) => name !== 'p2').map(({ name, uniqueBytes }) => [name, uniqueBytes]),
    );
    const size = await bytesIn(store);
    const first = await rig.retain(store, {});
    assert.equal(first.bytes, reclaimableBytes);
    assert.equal((await bytesIn(store)) < size, true);
    const alone = points.find(({ name }) => name === 'p3')?.uniqueBytes ?? 0;
    assert.equal((await rig.retain(store, { points: ['p3'] })).bytes, alone);
  });

  test('finishes what was begun, after a death at each single operation, before and after it', async () => {
    const { store: first, rig } = await threePoints(['db']);
    for (const half of ['before', 'after'] as const) {
      for (let at = 1; ; at++) {
        const store = memoryStore(first);
        let count = 0;
        const dying = wrapLocation(store, { [half]: async () => dieAt(++count === at) });
        const died = await rig.retain(dying, { points: ['p2', 'p3'] }).then(
          () => false,
          (error: unknown) => error instanceof Death,
        );
        if (!died) {
          assert.ok(at > 30, `${at} operations`);
          break;
        }
        const names = await rig.checkAll(store);
        assert.ok(names.includes('p0'), `${half} ${at}`);
        // Begun: the mark is there. Any later run finishes it, without being told the name.
        const begun = (await namesOf(store, rig)).filter((name) => name.startsWith('retired/')).length;
        await rig.retain(store, begun === 2 ? {} : { points: ['p2', 'p3'] });
        assert.deepEqual(await rig.checkAll(store), ['p0'], `${half} ${at}`);
        await rig.retain(store, { points: ['p0'] });
        assert.deepEqual(await leftovers(store, rig), [], `${half} ${at}`);
      }
    }
  });

  test('what the store refuses is named, the rest goes, and a later run finishes', async () => {
    const { store, rig } = await threePoints();
    const locked = new Set((await namesOf(store, rig)).filter((name) => /\/packs\/000003\//.test(name)).slice(0, 1));
    assert.equal(locked.size, 1);
    const refusing = {
      ...store,
      deleteMany: async (names: readonly string[]) => {
        const refused = names.filter((name) => locked.has(name.slice(`lineages/${rig.lineage}/`.length)));
        await store.deleteMany(names.filter((name) => !refused.includes(name)));
        return refused.map((name) => ({ name, error: new TranshipError('Forbidden', `Cannot delete ${name}: access denied.`) }));
      },
    };
    const result = await rig.retain(refusing, { points: ['p3', 'p2', 'p0'] });
    assert.deepEqual(
      result.refused.map(({ object, error }) => [locked.has(object.slice(`lineages/${rig.lineage}/`.length)), error.code]),
      [[true, 'Forbidden']],
    );
    assert.deepEqual(
      result.points.filter(({ finished }) => finished),
      [],
    );
    assert.deepEqual(await rig.checkAll(store), []);
    const { points } = await (await openRetention({ location: store, ...rig })).list();
    assert.deepEqual([...new Set(points.map(({ state }) => state))], ['Deleting']);
    const later = await rig.retain(store, {});
    assert.equal(later.points.length, 3);
    assert.deepEqual(await leftovers(store, rig), []);
  });

  test('a name that does not exist deletes nothing and names those that do', async () => {
    const { store, rig } = await threePoints();
    const before = [...store.objects.keys()];
    await assert.rejects(rig.retain(store, { points: ['p2', 'nope'] }), (error: TranshipError) => {
      assert.match(error.message, /no restore point named nope/);
      assert.match(error.hint ?? '', /p0, p2, p3/);
      return codeOf(error) === 'NotFound';
    });
    assert.deepEqual([...store.objects.keys()], before);
  });
});

describe('what was begun and never completed', () => {
  test('stays while it is young, goes when it is old by the clock of the store, and its writer cannot commit it any more', async () => {
    const { store, rig } = await threePoints();
    let release: (() => void) | undefined;
    const reached = Promise.withResolvers<void>();
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = wrapLocation(store, {
      before: async ({ verb, name }) => {
        if (verb !== 'put' || !name.includes('/rounds/')) return;
        reached.resolve();
        await held;
      },
    });
    const late = rig.copy(slow, 'db', 4, 3, { a: [filler('late')] });
    await reached.promise;
    const young = await rig.retain(store, { points: ['p3'], abandonedAfterMs: hour });
    assert.deepEqual(
      young.inUse.map(({ volume, round }) => [volume, round]),
      [['db', 3]],
    );
    assert.deepEqual(young.points, [{ name: 'p3', finished: false }]);
    store.pass(2 * hour);
    const old = await rig.retain(store, { abandonedAfterMs: hour });
    assert.deepEqual(old.points, [{ name: 'p3', finished: true }]);
    release?.();
    await assert.rejects(late, (error: Error) => codeOf(error) === 'Conflict' && /was given up/.test(error.message));
    assert.deepEqual(await rig.checkAll(store), ['p0', 'p2']);
    const archive = await openArchive({ location: store, ...rig });
    assert.deepEqual(
      [await archive.isGivenUp('db', 4), await archive.isGivenUp('db', 2), await archive.isGivenUp('db', 5)],
      [true, false, false],
    );
    // The next number is free, and the parent that it is told to build on is gone: it copies everything.
    await rig.copy(store, 'db', 5, 3, { a: ['new'] });
    await rig.commit(store, 'p5', { db: 5 });
    await rig.retain(store, { points: ['p0', 'p2'], abandonedAfterMs: 0 });
    assert.deepEqual(await rig.checkAll(store), ['p5']);
  });

  test('a restore point whose rounds were deleted under it is refused, and so is the name of a deleted one', async () => {
    const { store, rig } = await threePoints();
    await rig.copy(store, 'db', 4, 3, { a: ['four'] });
    store.pass(2 * hour);
    await rig.retain(store, { abandonedAfterMs: hour });
    await assert.rejects(
      rig.commit(store, 'p4', { db: 4 }),
      (error: Error) => codeOf(error) === 'Conflict' && /Round 4 of volume db was deleted/.test(error.message),
    );
    await rig.retain(store, { points: ['p3'] });
    await assert.rejects(
      rig.commit(store, 'p3', { db: 2 }),
      (error: Error) => codeOf(error) === 'Conflict' && /was deleted/.test(error.message),
    );
    assert.deepEqual(await rig.checkAll(store), ['p0', 'p2']);
  });
});

describe('damage', () => {
  test('a round that stays and cannot be read keeps its whole volume; the others are freed', async () => {
    const { store, rig } = await threePoints();
    const round = (await namesOf(store, rig)).find((name) => name.endsWith('/rounds/000000')) ?? '';
    const name = `lineages/${rig.lineage}/${round}`;
    const found = store.objects.get(name);
    assert.ok(found !== undefined);
    found.body[found.body.length - 1] = (found.body.at(-1) ?? 0) ^ 1;
    const result = await rig.retain(store, { points: ['p3'] });
    assert.equal(result.damaged.length, 1);
    assert.equal(result.damaged[0]?.error.code, 'Integrity');
    const volume = round.split('/')[1] ?? '';
    assert.ok((await namesOf(store, rig)).some((one) => one.startsWith(`volumes/${volume}/packs/000003/`)));
    assert.equal((await namesOf(store, rig)).filter((one) => one.endsWith('/rounds/000003')).length, 1);
    const { points } = await (await openRetention({ location: store, ...rig })).list();
    assert.deepEqual(
      points.map(({ name: one, state }) => [one, state]),
      [
        ['p0', 'Damaged'],
        ['p2', 'Ready'],
        ['p3', 'Deleting'],
      ],
    );
    // Deleting the damaged one is the cure.
    await rig.retain(store, { points: ['p0'] });
    assert.deepEqual(await rig.checkAll(store), ['p2']);
  });
});

test('a directory holds nothing but marks when the last restore point has gone', async () => {
  const path = mkdtempSync(join(tmpdir(), 'retention-'));
  try {
    const store = openLocation({ kind: 'directory', path });
    const rig = await lineageOn(store);
    await rig.copy(store, 'db', 0, undefined, { a: ['1', '2', '3', '4'] });
    await rig.commit(store, 'p0', { db: 0 });
    await rig.copy(store, 'db', 1, 0, { a: ['1', '2', '3', '5'] });
    await rig.commit(store, 'p1', { db: 1 });
    await rig.retain(store, { points: ['p0'] });
    assert.deepEqual(await rig.checkAll(store), ['p1']);
    await rig.retain(store, { points: ['p1'] });
    assert.deepEqual(await leftovers(store, rig), []);
  } finally {
    rmSync(path, { recursive: true });
  }
});

class Death extends Error {}

async function dieAt(now: boolean): Promise<void> {
  if (now) throw new Death('killed');
  await Promise.resolve();
}
