import assert from 'node:assert/strict';
import { closeSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { portrait, rigOn } from './rig.ts';
import { playOn } from './testing/rounds.ts';

await playOn('directory');

describe('a delta', () => {
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
