/**
 * Random edits over many rounds: applied in place by what is known of the target, healed where nothing is known, restored anew; each compared with the
 * source. A failure prints its seed: TRANSHIP_SEED=n runs it again; TRANSHIP_ROUNDS=n goes on for longer.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { codeOf } from '../../errors.ts';
import { portrait, type Rig, rigOn } from '../rig.ts';
import { bundleMover } from './bundle.ts';
import { Edits, picker } from './edits.ts';
import { cannotLook, differences, look } from './look.ts';
import { cannotMount, type FileSystem, LoopPlace } from './loops.ts';
import { findReferees } from './referees.ts';

const rounds = Number(process.env['TRANSHIP_ROUNDS'] ?? 4);
const seed = Number(process.env['TRANSHIP_SEED'] ?? randomInt(1 << 30));

type Compare = (wanted: string, found: string) => string[];
const byLook: Compare = (wanted, found) => differences(look(wanted), look(found));
const byPortrait: Compare = (wanted, found) => {
  const there = new Set(portrait(found));
  return portrait(wanted)
    .filter((line) => !there.delete(line))
    .concat([...there]);
};

/** Goes through the rounds below `base`, which is on the file system that is tested. */
async function play(base: string, rig: Rig, compare: Compare): Promise<void> {
  const pick = picker(seed);
  const at = (name: string): string => join(base, name);
  const [source, known, healed, fresh, snapshot] = ['source', 'known', 'healed', 'fresh', 'snapshot'].map(at) as [
    string,
    string,
    string,
    string,
    string,
  ];
  for (const path of [source, known, healed]) mkdirSync(path);
  const end = (path: string): { mode: 'Filesystem'; path: string } => ({ mode: 'Filesystem', path });
  const [edits, strangers] = [new Edits(source, pick), new Edits(known, pick)];
  let have: number | undefined;
  let begun: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const diary: string[] = [];
    for (let count = round === 0 ? 60 : pick(25); count > 0; count--) diary.push(edits.one());
    const same = (found: string, how: string): void =>
      assert.deepEqual(compare(source, found), [], `TRANSHIP_SEED=${seed}, round ${round}, ${how}; edits: ${diary.join(', ')}`);

    // As the simplest drivers do: a snapshot is a copy, with other inodes and ctimes. Every other round reads the live tree.
    const copied = pick(2) === 0;
    if (copied) execFileSync('cp', ['-a', source, snapshot]);
    const parent = round === 0 || pick(5) === 0 ? {} : { parent: round - 1 };
    await rig.run({ op: 'copy-out', round, ...parent, source: end(copied ? snapshot : source), streams: 1 + pick(4) });
    if (copied) rmSync(snapshot, { recursive: true });

    const knowledge = have === undefined ? {} : { have, begun };
    const verify = (['Touched', 'All', 'None'] as const)[pick(3)] ?? 'All';
    const job = { op: 'copy-in', round, target: end(known), streams: 1 + pick(4) } as const;
    const result = await rig.run({ ...job, ...knowledge, fresh: have === undefined, verify });
    if (have !== undefined) assert.equal(result.bytesTargetRead, 0);
    same(known, 'in place');

    // Now and then a round is begun and not said to be finished: the next one must not rely on either state.
    if (pick(3) === 0 && have !== undefined) begun.push(round);
    else [have, begun] = [round, []];
    if (pick(3) === 0) {
      // Others write to the target: a verification sees it, and a copy without knowledge heals it.
      for (let count = 1 + pick(5); count > 0; count--) diary.push(`(target) ${strangers.one()}`);
      if (compare(source, known).length > 0) {
        await assert.rejects(rig.run({ op: 'verify', round, target: end(known) }), (error) => codeOf(error) === 'Incomplete');
        await rig.run({ ...job, fresh: false, verify: 'None' });
        same(known, 'healed after others wrote');
        [have, begun] = [round, []];
      }
      await rig.run({ op: 'verify', round, target: end(known) });
    }
    if (pick(4) === 0) {
      await rig.run({ op: 'copy-in', round, fresh: false, target: end(healed), verify: 'None' });
      same(healed, 'healed from an older round');
    }
    if (pick(4) === 0 || round === rounds - 1) {
      mkdirSync(fresh);
      await rig.run({ op: 'copy-in', round, fresh: true, target: end(fresh), verify: 'None', streams: 1 + pick(4) });
      same(fresh, 'restored anew');
      rmSync(fresh, { recursive: true });
    }
  }
}

/** Defines the test for one file system, or for a directory of the machine. One file each: together they would take too long for a file. */
export async function playOn(kind: FileSystem | 'directory'): Promise<void> {
  const bundle = await bundleMover();
  after(() => bundle.remove());
  const referees = kind === 'directory' ? undefined : await findReferees();
  void describe(`${rounds} rounds of random edits come out the same (TRANSHIP_SEED=${seed})`, () => {
    if (kind === 'directory' || referees === undefined) {
      void it('in a directory', async (t) => {
        const base = mkdtempSync(join(tmpdir(), 'tranship-rounds-'));
        t.after(() => rmSync(base, { recursive: true }));
        await play(base, await rigOn(join(base, 'store'), bundle.entry), byPortrait);
      });
      return;
    }
    void it(`on ${kind}`, { skip: cannotLook() ?? cannotMount(kind, referees) ?? false }, async (t) => {
      const place = new LoopPlace(referees);
      t.after(() => place.close());
      const { path } = place.volume('work', kind, 1 << 30);
      mkdirSync(join(place.base, 'store'));
      await play(path, await rigOn(join(place.base, 'store'), bundle.entry), byLook);
    });
  });
}
