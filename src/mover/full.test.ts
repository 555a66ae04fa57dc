/** No space: on the target, in the store, in inodes, by quota. Each is said in a sentence with its cure, and the same job ends well after the cure. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, globSync, lstatSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { codeOf, type TranshipError } from '../errors.ts';
import { type Rig, rigOn } from './rig.ts';
import { cannotLook, differences, look } from './testing/look.ts';
import { cannotMount, LoopPlace } from './testing/loops.ts';
import { findReferees } from './testing/referees.ts';

const referees = await findReferees();
const mebi = 1 << 20;

describe('no space', { skip: cannotLook() ?? cannotMount('ext4', referees) ?? false }, () => {
  let place: LoopPlace;
  let rig: Rig;
  let source: { mode: 'Filesystem'; path: string };
  before(async () => {
    place = new LoopPlace(referees);
    source = { mode: 'Filesystem', path: join(place.base, 'tree') };
    for (const path of [source.path, join(source.path, 'many'), join(place.base, 'store')]) mkdirSync(path);
    for (let number = 0; number < 4; number++) writeFileSync(join(source.path, `big-${number}`), randomBytes(14 * mebi));
    for (let number = 0; number < 400; number++) writeFileSync(join(source.path, 'many', `${number}`), randomBytes(1000));
    rig = await rigOn(join(place.base, 'store'));
    await rig.run({ op: 'copy-out', round: 0, source });
  });
  after(() => place.close());

  const equal = (target: string): void => {
    const except = (path: string): string[] => (path === 'lost+found' ? ['*'] : []);
    assert.deepEqual(differences(look(source.path), look(target), { except }), []);
  };
  const noSpace = (sentence: RegExp) => (error: Error) => {
    assert.match(error.message, sentence);
    assert.match(error.message, /volume shop\/data could not be written; first: /);
    const { paths } = (error as TranshipError).details as { paths: { path: string; error: string }[] };
    assert.ok(paths.length > 0);
    assert.match((error as TranshipError).hint ?? '', /claim larger/);
    return codeOf(error) === 'NoSpace';
  };

  it('on the target: the job fails early, says so, and ends well when the volume has grown', async () => {
    const volume = place.volume('small', 'ext4', 32 * mebi);
    const job = { op: 'copy-in', round: 0, fresh: true, target: { mode: 'Filesystem', path: volume.path }, verify: 'Touched' } as const;
    await assert.rejects(rig.run(job), noSpace(/target volume is full/));
    volume.grow(128 * mebi);
    const result = await rig.run(job);
    assert.ok(result.bytesChanged < result.bytes, 'nothing of the first try was used');
    equal(volume.path);
  });
  it('in a delta: what was begun is finished when the volume has grown', async () => {
    const volume = place.volume('grown', 'ext4', 80 * mebi);
    const target = { mode: 'Filesystem', path: volume.path } as const;
    await rig.run({ op: 'copy-in', round: 0, fresh: true, target, verify: 'None' });
    for (let number = 4; number < 7; number++) writeFileSync(join(source.path, `big-${number}`), randomBytes(14 * mebi));
    await rig.run({ op: 'copy-out', round: 1, parent: 0, source });
    const job = { op: 'copy-in', round: 1, have: 0, fresh: false, target, verify: 'Touched' } as const;
    await assert.rejects(rig.run(job), noSpace(/target volume is full/));
    volume.grow(160 * mebi);
    const result = await rig.run({ ...job, begun: [1] });
    assert.equal(result.bytesTargetRead, 0);
    equal(volume.path);
  });
  it('in inodes: the same sentence', async () => {
    const volume = place.volume('few-inodes', 'ext4', 160 * mebi, '-N', '100');
    const target = { mode: 'Filesystem', path: volume.path } as const;
    await assert.rejects(
      rig.run({ op: 'copy-in', round: 1, fresh: true, target, verify: 'None' }),
      noSpace(/target volume is full.*ENOSPC: open/),
    );
  });
  it('by quota', { skip: cannotMount('btrfs', referees) ?? false }, async () => {
    const volume = place.volume('quota', 'btrfs', 320 * mebi);
    referees.run('btrfs', 'quota', 'enable', volume.path);
    referees.run('btrfs', 'qgroup', 'limit', '20M', volume.path);
    const target = { mode: 'Filesystem', path: volume.path } as const;
    const job = { op: 'copy-in', round: 1, fresh: true, target, verify: 'All' } as const;
    await assert.rejects(rig.run(job), noSpace(/quota of the target volume is used up/));
    referees.run('btrfs', 'qgroup', 'limit', 'none', volume.path);
    await rig.run(job);
    equal(volume.path);
  });
  it('in the store: no half object is visible, and the next run uses what is there', async () => {
    const volume = place.volume('store-disk', 'ext4', 64 * mebi);
    const path = join(volume.path, 'objects');
    mkdirSync(path);
    const full = await rigOn(path);
    const job = { op: 'copy-out', round: 0, source } as const;
    await assert.rejects(full.run(job), (error: Error) => {
      assert.match(error.message, /no space is left/);
      assert.ok(error.message.includes(path), 'which store');
      assert.match((error as TranshipError).hint ?? '', /space/);
      return codeOf(error) === 'NoSpace';
    });
    const packs = (): string[] => globSync(join(path, 'lineages/*/volumes/*/packs/*/*'));
    const stored = packs().reduce((sum, pack) => sum + lstatSync(pack).size, 0);
    assert.ok(stored > 16 * mebi, `${stored} bytes were stored`);
    volume.grow(320 * mebi);
    // What a stream had half written when the others failed: an hour later the next run takes it away.
    const abandoned = join(path, '.tmp', 'abandoned');
    writeFileSync(abandoned, 'half');
    utimesSync(abandoned, Date.now() / 1000 - 7200, Date.now() / 1000 - 7200);
    const result = await full.run(job);
    assert.equal(existsSync(abandoned), false);
    assert.ok(result.bytesTransferred < result.bytes - stored + 2 * mebi, `${result.bytesTransferred} sent, ${stored} were there`);
    const target = { mode: 'Filesystem', path: join(place.base, 'restored') } as const;
    mkdirSync(target.path);
    await full.run({ op: 'copy-in', round: 0, fresh: true, target, verify: 'All' });
    equal(target.path);
  });
});
