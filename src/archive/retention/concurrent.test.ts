/** Deletions beside writers and beside each other. After every schedule, what is listed as a restore point restores. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeOf } from '../../errors.ts';
import type { Location } from '../../location/index.ts';
import { type MemoryStore, memoryStore } from '../../location/testing/memory-store.ts';
import { inTurns, type Waiting } from '../../location/testing/turns.ts';
import { wrapLocation } from '../../location/testing/wrap.ts';
import { leftovers, lineageOn, type LineageRig, randomFrom } from '../testing/lineage-rig.ts';

/** `TRANSHIP_SCHEDULES=20` tries twenty times as many orders: for changes in this room. */
const more = Number(process.env['TRANSHIP_SCHEDULES'] ?? 1);

const long = (text: string): string => `${text} `.repeat(100);

interface Scene {
  store: MemoryStore;
  rig: LineageRig;
}

/** Rounds 0 and 1 with a restore point each; 1 shares with 0. */
async function twoPoints(): Promise<Scene> {
  const store = memoryStore();
  const rig = await lineageOn(store);
  await rig.copy(store, 'db', 0, undefined, { a: [long('zero')], b: ['x', 'y', long('shared')] });
  await rig.copy(store, 'db', 1, 0, { a: [long('one')], b: ['x', 'y', long('shared')] });
  await rig.commit(store, 'p0', { db: 0 });
  await rig.commit(store, 'p1', { db: 1 });
  return { store, rig };
}

/** A controller and its mover: a round on top of round 1, and a restore point of it. */
function backup({ rig }: Scene) {
  return async (location: Location) => {
    await rig.copy(location, 'db', 2, 1, { a: [long('two')], b: ['x', 'y', long('shared')] });
    await rig.commit(location, 'p2', { db: 2 });
  };
}

/** First `count` operations of one actor, then everything of the other, then the rest. */
function after(count: number, first: string, second: string): (waiting: readonly Waiting[]) => number {
  let done = 0;
  return (waiting) => {
    const of = (actor: string): number => waiting.findIndex((one) => one.actor === actor);
    const wanted = done < count ? [first, second] : [second, first];
    const index = wanted.map(of).find((at) => at >= 0) ?? 0;
    if (waiting[index]?.actor === first) done++;
    return index;
  };
}

/** What must hold after any schedule; then everything is deleted, and only marks stay. */
async function checkAndClear({ store, rig }: Scene, note: string): Promise<string[]> {
  const names = await rig.checkAll(store);
  for (let again = 0; again < 2; again++) await rig.retain(store, { abandonedAfterMs: 0 });
  assert.deepEqual(await rig.checkAll(store), names, note);
  store.pass(1);
  await rig.retain(store, { points: names, abandonedAfterMs: 0 });
  assert.deepEqual(await leftovers(store, rig), [], note);
  return names;
}

describe('a deletion beside a writer', () => {
  for (const abandonedAfterMs of [undefined, -1]) {
    const manner = abandonedAfterMs === undefined ? 'patient' : 'reckless: takes everything that is not complete for abandoned';
    test(`at each of the operations of the writer (${manner})`, async () => {
      const first = await twoPoints();
      const outcomes = new Set<string>();
      for (let count = 0; ; count++) {
        const scene = { rig: first.rig, store: memoryStore(first.store) };
        let inside = false;
        const choose = after(count, 'writer', 'deleter');
        const ends = await inTurns(
          scene.store,
          {
            writer: backup(scene),
            deleter: async (location) =>
              await scene.rig.retain(location, { points: ['p1'], ...(abandonedAfterMs === undefined ? {} : { abandonedAfterMs }) }),
          },
          (waiting) => {
            const index = choose(waiting);
            inside ||= waiting.length > 0 && waiting[index]?.actor === 'deleter' && waiting.some(({ actor }) => actor === 'writer');
            return index;
          },
        );
        const names = await judge(scene, ends, `writer ${count}, then deleter`);
        outcomes.add(names.join());
        if (!inside) break; // the writer had ended before the deleter began
      }
      // Both must have happened, or the schedules show nothing.
      assert.ok(outcomes.has('p0,p2'));
      if (abandonedAfterMs !== undefined) assert.ok(outcomes.has('p0'), 'the writer was never told that it was given up');
    });

    test(`at each of its own operations (${manner})`, async () => {
      const first = await twoPoints();
      for (let count = 0; ; count++) {
        const scene = { rig: first.rig, store: memoryStore(first.store) };
        let inside = false;
        const choose = after(count, 'deleter', 'writer');
        const ends = await inTurns(
          scene.store,
          {
            writer: backup(scene),
            deleter: async (location) =>
              await scene.rig.retain(location, { points: ['p1'], ...(abandonedAfterMs === undefined ? {} : { abandonedAfterMs }) }),
          },
          (waiting) => {
            const index = choose(waiting);
            inside ||= waiting[index]?.actor === 'writer' && waiting.some(({ actor }) => actor === 'deleter');
            return index;
          },
        );
        await judge(scene, ends, `deleter ${count}, then writer`);
        if (!inside) break;
      }
    });
  }

  test(`in ${20 * more} random orders, with two deleters`, async () => {
    const first = await twoPoints();
    for (let seed = 1; seed <= 20 * more; seed++) {
      const random = randomFrom(seed);
      const scene = { rig: first.rig, store: memoryStore(first.store) };
      const reckless = seed % 2 === 0 ? { abandonedAfterMs: -1 } : {};
      const ends = await inTurns(
        scene.store,
        {
          writer: backup(scene),
          deleter: async (location) => await scene.rig.retain(location, { points: ['p1'], ...reckless }),
          other: async (location) => await scene.rig.retain(location, { points: [random.pick(['p0', 'p1'])], ...reckless }),
        },
        (waiting) => random.below(waiting.length),
      );
      await judge(scene, ends, `seed ${seed}`);
    }
  });
});

/** The writer either has its restore point, or was told why not. Deletions never fail. */
async function judge(scene: Scene, ends: Record<string, PromiseSettledResult<unknown>>, note: string): Promise<string[]> {
  for (const [actor, end] of Object.entries(ends)) {
    if (end.status === 'fulfilled') continue;
    const told = actor === 'writer' && (codeOf(end.reason) === 'Conflict' || codeOf(end.reason) === 'NotFound');
    assert.ok(told, `${note}: ${actor}: ${String(end.reason)}`);
  }
  const names = await checkAndClear(scene, note);
  assert.equal(names.includes('p2'), ends['writer']?.status === 'fulfilled', note);
  assert.ok(!names.includes('p1'), note);
  return names;
}

describe('a long life', () => {
  for (let seed = 1; seed <= 3 * more; seed++) {
    test(`of random copies, restore points, deletions and deaths, seed ${seed}`, async () => {
      const random = randomFrom(seed);
      const store = memoryStore();
      const rig = await lineageOn(store);
      const newest = new Map<string, number>();
      const next = new Map<string, number>();
      let points = 0;
      /** Sometimes the process dies at one of its operations, before or after it. */
      const mortal = (): Location => {
        if (random.below(3) > 0) return store;
        let left = random.below(40);
        const strike = async (): Promise<void> => {
          if (left-- <= 0) throw new Error('killed');
          await Promise.resolve();
        };
        return wrapLocation(store, random.below(2) === 0 ? { before: strike } : { after: strike });
      };
      const attempt = async (work: () => Promise<unknown>): Promise<boolean> =>
        await work().then(
          () => true,
          (error: Error) => {
            if (error.message !== 'killed' && !['Conflict', 'NotFound'].includes(codeOf(error))) throw error;
            return false;
          },
        );
      for (let step = 0; step < 40; step++) {
        const what = random.below(10);
        const volume = random.pick(['db', 'files']);
        store.pass(random.below(60_000));
        if (what < 4) {
          const round = next.get(volume) ?? 0;
          const content = Object.fromEntries(
            Array.from({ length: 3 }, (_, index) => [
              `f${index}`,
              Array.from({ length: random.below(5) }, () => long(`c${random.below(12)}`)),
            ]),
          );
          const parent = random.below(5) === 0 ? undefined : newest.get(volume);
          if (await attempt(async () => await rig.copy(mortal(), volume, round, parent, content))) {
            newest.set(volume, round);
            next.set(volume, round + 1);
          } else if (random.below(2) === 0) next.set(volume, round + 1); // given up by its controller; else tried again
        } else if (what < 7 && newest.size > 0) {
          const name = `p${String(points++).padStart(3, '0')}`;
          await attempt(async () => await rig.commit(mortal(), name, Object.fromEntries(newest)));
        } else {
          const names = await rig.checkAll(store);
          const chosen = names.filter(() => random.below(3) === 0);
          const age = random.below(3) === 0 ? { abandonedAfterMs: random.below(2) * 60_000 } : {};
          await attempt(async () => await rig.retain(mortal(), { points: chosen, ...age }));
          const now = await rig.checkAll(store);
          assert.deepEqual(
            names.filter((one) => !now.includes(one) && !chosen.includes(one)),
            [],
          );
        }
        await rig.checkAll(store);
      }
      store.pass(1);
      await checkAndClear({ store, rig }, `seed ${seed}`);
    });
  }
});
