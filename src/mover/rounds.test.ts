import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { portrait, rigOn } from './rig.ts';
import { makeNode, punch, setTimes, setXattr } from './sys.ts';

/** Numbers from a seed, so that a failure can be run again: TRANSHIP_SEED=n. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const names = ['a', 'a-b', 'a.b', 'a b', 'b', 'B', 'c', 'aa', 'z\u00ff', '0'];

/** One random edit below `base`: new things, changed ones, renames, removals, changes of type. */
function edit(base: string, pick: (below: number) => number): void {
  const directories = [''];
  const all: string[] = [];
  const collect = (path: string): void => {
    for (const name of readdirSync(join(base, path))) {
      const child = join(path, name);
      all.push(child);
      if (lstatSync(join(base, child)).isDirectory()) {
        directories.push(child);
        collect(child);
      }
    }
  };
  collect('');
  const choose = <T>(from: T[]): T => from[pick(from.length)] as T;
  const fresh = (): string => join(base, choose(directories), choose(names));
  const old = all.length === 0 ? undefined : join(base, choose(all));
  const file = old !== undefined && lstatSync(old).isFile() ? old : undefined;
  const content = (): Buffer =>
    Buffer.alloc(
      [0, 1, 4096, 70_000, 1 << 20, (1 << 20) + 1, 3 << 20][pick(7)] as number,
      String(pick(1000)) + (pick(4) === 0 ? '\0'.repeat(50) : 'text'),
    );
  const place = fresh();
  const into = (target: string): void => {
    rmSync(target, { recursive: true, force: true });
  };
  switch (pick(14)) {
    case 0:
    case 1:
      into(place);
      writeFileSync(place, content());
      break;
    case 2:
      if (lstatSync(place, { throwIfNoEntry: false }) === undefined) mkdirSync(place);
      break;
    case 3:
      if (old !== undefined) rmSync(old, { recursive: true, force: true });
      break;
    case 4: {
      const to = fresh();
      if (old === undefined || to === old || to.startsWith(`${old}/`) || old.startsWith(`${to}/`)) break;
      into(to);
      if (existsSync(old)) renameSync(old, to);
      break;
    }
    case 5:
    case 6: {
      if (file === undefined) break;
      const fd = openSync(file, 'r+');
      writeSync(fd, Buffer.alloc(1 + pick(9000), String(pick(1000))), 0, undefined, pick(Math.max(1, lstatSync(file).size)));
      closeSync(fd);
      break;
    }
    case 7:
      if (file !== undefined) truncateSync(file, pick(4 << 20));
      break;
    case 8: {
      if (file === undefined || lstatSync(file).size < 8192) break;
      const fd = openSync(file, 'r+');
      punch(fd, 4096 * pick(Math.floor(lstatSync(file).size / 4096)), 4096 * (1 + pick(600)));
      closeSync(fd);
      break;
    }
    case 9:
      if (file !== undefined && lstatSync(place, { throwIfNoEntry: false }) === undefined) linkSync(file, place);
      break;
    case 10:
      into(place);
      symlinkSync(choose(names), place);
      break;
    case 11:
      into(place);
      makeNode(Buffer.from(place).toString('latin1'), 'fifo', 0o600);
      break;
    case 12:
      if (old !== undefined && !lstatSync(old).isSymbolicLink()) chmodSync(old, 0o600 + pick(0o200));
      break;
    case 13:
      if (old === undefined || lstatSync(old).isSymbolicLink()) break;
      if (!lstatSync(old).isFIFO()) setXattr(Buffer.from(old).toString('latin1'), 'user.edit', Buffer.from(String(pick(100))));
      setTimes(Buffer.from(old).toString('latin1'), [pick(2_000_000_000), pick(1_000_000_000)]);
      break;
  }
}

const rounds = Number(process.env['TRANSHIP_ROUNDS'] ?? 20);

describe('rounds', () => {
  const seed = Number(process.env['TRANSHIP_SEED'] ?? randomInt(1 << 30));
  it(`random edits over ${rounds} rounds come out the same, by known rounds and by healing (TRANSHIP_SEED=${seed})`, async () => {
    const base = mkdtempSync(join(tmpdir(), 'tranship-rounds-'));
    const pick = generator(seed);
    const [source, known, healed, snapshot] = ['source', 'known', 'healed', 'snapshot'].map((name) => join(base, name)) as [
      string,
      string,
      string,
      string,
    ];
    for (const path of [source, known, healed]) mkdirSync(path);
    const rig = await rigOn(join(base, 'store'));
    let have: number | undefined;
    let begun: number[] = [];
    for (let round = 0; round < rounds; round++) {
      for (let count = pick(20); count > 0; count--) edit(source, pick);
      // As the simplest drivers do: a snapshot is a copy, with other inodes and ctimes. Every other round reads the live tree.
      const copied = pick(2) === 0;
      if (copied) execFileSync('cp', ['-a', source, snapshot]);
      const from = copied ? snapshot : source;
      const parent = round === 0 || pick(5) === 0 ? {} : { parent: round - 1 };
      await rig.run({ op: 'copy-out', round, ...parent, source: { mode: 'Filesystem', path: from } });
      if (copied) rmSync(snapshot, { recursive: true });
      const target = { mode: 'Filesystem' as const, path: known };
      // Now and then a round is begun and not said to be finished: the next one must not rely on either state.
      const verify = (['Touched', 'All', 'None'] as const)[pick(3)] as 'All';
      const result = await rig.run({
        op: 'copy-in',
        round,
        ...(have === undefined ? {} : { have, begun }),
        fresh: have === undefined,
        target,
        verify,
      });
      if (have !== undefined) assert.equal(result.bytesTargetRead, 0);
      const wanted = portrait(source);
      assert.deepEqual(portrait(known), wanted, `round ${round}`);
      if (pick(3) === 0 && have !== undefined) begun.push(round);
      else {
        have = round;
        begun = [];
      }
      if (pick(4) === 0) {
        await rig.run({ op: 'copy-in', round, fresh: false, target: { mode: 'Filesystem', path: healed }, verify: 'None' });
        assert.deepEqual(portrait(healed), wanted, `healing to round ${round}`);
      }
    }
    rmSync(base, { recursive: true });
  });

  it('sends and writes only what changed', async () => {
    const base = mkdtempSync(join(tmpdir(), 'tranship-delta-'));
    const [source, target] = [join(base, 'source'), join(base, 'target')];
    mkdirSync(source);
    mkdirSync(target);
    const rig = await rigOn(join(base, 'store'));
    writeFileSync(join(source, 'big'), Buffer.concat(Array.from({ length: 200 }, (_, number) => Buffer.alloc(1 << 20, `${number} `))));
    for (let number = 0; number < 50; number++) writeFileSync(join(source, `small-${number}`), `content ${number}`);
    const ends = { source: { mode: 'Filesystem' as const, path: source }, target: { mode: 'Filesystem' as const, path: target } };
    await rig.run({ op: 'copy-out', round: 0, source: ends.source });
    await rig.run({ op: 'copy-in', round: 0, fresh: true, target: ends.target, verify: 'None' });
    const fd = openSync(join(source, 'big'), 'r+');
    writeSync(fd, 'changed', 150 << 20);
    writeSync(fd, 'changed', 7 << 20);
    closeSync(fd);
    renameSync(join(source, 'small-1'), join(source, 'renamed'));
    const out = await rig.run({ op: 'copy-out', round: 1, parent: 0, source: ends.source });
    assert.equal(out.bytesChanged, 2 << 20);
    const again = await rig.run({ op: 'copy-out', round: 2, parent: 1, source: ends.source });
    assert.equal(again.bytesChanged, 0);
    const back = await rig.run({ op: 'copy-in', round: 2, have: 0, fresh: false, target: ends.target, verify: 'Touched' });
    assert.equal(back.bytesChanged, (2 << 20) + 'content 1'.length);
    assert.equal(back.bytesTargetRead, 0);
    assert.deepEqual(portrait(target), portrait(source));
    rmSync(base, { recursive: true });
  });

  it('notices a target that is not as the last round left it', async () => {
    const base = mkdtempSync(join(tmpdir(), 'tranship-touched-'));
    const [source, target] = [join(base, 'source'), join(base, 'target')];
    mkdirSync(source);
    mkdirSync(target);
    const rig = await rigOn(join(base, 'store'));
    const ends = { source: { mode: 'Filesystem' as const, path: source }, target: { mode: 'Filesystem' as const, path: target } };
    writeFileSync(join(source, 'file'), 'one');
    await rig.run({ op: 'copy-out', round: 0, source: ends.source });
    await rig.run({ op: 'copy-in', round: 0, fresh: true, target: ends.target, verify: 'None' });
    writeFileSync(join(source, 'file'), 'two!');
    await rig.run({ op: 'copy-out', round: 1, parent: 0, source: ends.source });
    rmSync(join(target, 'file'));
    await assert.rejects(
      rig.run({ op: 'copy-in', round: 1, have: 0, fresh: false, target: ends.target, verify: 'None' }),
      /something else wrote to the volume/,
    );
    await rig.run({ op: 'copy-in', round: 1, fresh: false, target: ends.target, verify: 'All' });
    assert.deepEqual(portrait(target), portrait(source));
    rmSync(base, { recursive: true });
  });
});
