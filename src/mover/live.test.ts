/**
 * A source that changes between the walk and the read, as a live volume does. The store is held up until the walk is over, so that what follows is not left
 * to chance; then everything changes at once, and the reads begin.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Location, openLocation } from '../location/index.ts';
import type { MoverResult } from './protocol.ts';
import { portrait, type Rig, rigOn, runHere } from './rig.ts';
import { makeNode } from './sys.ts';

const chunk = 1 << 20;

interface Live {
  base: string;
  source: { mode: 'Filesystem'; path: string };
  rig: Rig;
  at: (name: string) => string;
}

/** An archive and a source with ballast that sorts first: three packs keep the one stream at the store's gate. */
async function live(): Promise<Live> {
  const base = mkdtempSync(join(tmpdir(), 'tranship-live-'));
  const source = { mode: 'Filesystem' as const, path: join(base, 'source') };
  mkdirSync(source.path);
  writeFileSync(join(source.path, 'a-ballast'), randomBytes(36 * chunk));
  return { base, source, rig: await rigOn(join(base, 'store')), at: (name) => join(source.path, name) };
}

/** Copies round 0 out; `change` runs when everything was walked and nothing but ballast read. */
async function copyWhile({ rig, source }: Live, change: () => void): Promise<MoverResult> {
  const names = readdirSync(source.path, { recursive: true, encoding: 'latin1' });
  const inodes = new Set<number>();
  // What needs no reading counts as done as soon as the walk has passed it, and a link in the last directory is passed last.
  mkdirSync(join(source.path, 'zz-last'));
  symlinkSync('nowhere', join(source.path, 'zz-last/link'));
  let passed = 1;
  for (const name of names) {
    const { ino, nlink } = lstatSync(join(source.path, name));
    if (nlink > 1 && inodes.has(ino)) passed++;
    inodes.add(ino);
  }
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const real = openLocation(rig.spec);
  const location: Location = {
    ...real,
    put: async (name, body, options) => {
      await gate;
      return await real.put(name, body, options);
    },
  };
  let changed = false;
  const job = rig.job({ op: 'copy-out', round: 0, source, streams: 1 });
  job.archive.location = { kind: 'relay', url: real.url };
  const onProgress = ({ filesDone }: { filesDone: number }): void => {
    if (changed || filesDone < passed) return;
    changed = true;
    change();
    open();
  };
  const result = await runHere(job, { location, onProgress });
  assert.ok(changed, 'the walk was over before the store took the first pack');
  return result;
}

const notesOf = ({ notes }: MoverResult): string[] => notes.map(({ path, note }) => `${path}: ${note}`).toSorted();

/** The round can be restored and verified, and the next round brings the target to what the source is now. */
async function restoresAndCatchesUp({ base, rig, source }: Live): Promise<string> {
  const target = { mode: 'Filesystem' as const, path: join(base, 'target') };
  mkdirSync(target.path);
  await rig.run({ op: 'copy-in', round: 0, fresh: true, target, verify: 'All' });
  await rig.run({ op: 'copy-out', round: 1, parent: 0, source });
  const restored = join(base, 'restored');
  mkdirSync(restored);
  await rig.run({ op: 'copy-in', round: 0, fresh: true, target: { mode: 'Filesystem', path: restored }, verify: 'None' });
  await rig.run({ op: 'copy-in', round: 1, have: 0, fresh: false, target, verify: 'All' });
  assert.deepEqual(portrait(target.path), portrait(source.path));
  return restored;
}

describe('a source that changes while it is read', () => {
  it('has an outcome for each file: vanished, grown, shrunk, changed, replaced', async (t) => {
    const stage = await live();
    t.after(() => rmSync(stage.base, { recursive: true }));
    const { at } = stage;
    for (const name of [
      'vanishes',
      'grows',
      'shrinks',
      'rewritten',
      'replaced',
      'to-symlink',
      'to-fifo',
      'to-directory',
      'to-device',
      'quiet',
    ])
      writeFileSync(at(name), `${name} at first`);
    writeFileSync(at('large-vanishes'), randomBytes(9 * chunk));
    writeFileSync(at('large-shrinks'), randomBytes(9 * chunk));
    mkdirSync(at('directory'));
    writeFileSync(at('directory/vanishes'), 'child');
    const result = await copyWhile(stage, () => {
      rmSync(at('vanishes'));
      rmSync(at('large-vanishes'));
      rmSync(at('directory'), { recursive: true });
      appendFileSync(at('grows'), ', and then more');
      truncateSync(at('shrinks'), 3);
      truncateSync(at('large-shrinks'), 2 * chunk + 5);
      writeFileSync(at('rewritten'), 'rewritten  later!');
      // As editors and package managers do; even size and times may be the same.
      const { atime, mtime } = lstatSync(at('replaced'));
      writeFileSync(at('replacement'), 'REPLACED AT LAST!');
      utimesSync(at('replacement'), atime, mtime);
      renameSync(at('replacement'), at('replaced'));
      for (const name of ['to-symlink', 'to-fifo', 'to-directory', 'to-device']) rmSync(at(name));
      symlinkSync('quiet', at('to-symlink'));
      makeNode(at('to-fifo'), 'fifo', 0o600);
      mkdirSync(at('to-directory'));
      // Never opened for real: reading /dev/zero would give content that nobody wrote.
      if (process.getuid?.() === 0) makeNode(at('to-device'), 'character', 0o600, [1, 5]);
    });
    const [gone, changed] = ['vanished while it was read', 'changed while it was read'];
    assert.deepEqual(notesOf(result), [
      `directory/vanishes: ${gone}`,
      `grows: ${changed}`,
      `large-shrinks: ${changed}`,
      `large-vanishes: ${gone}`,
      `replaced: ${changed}`,
      `rewritten: ${changed}`,
      `shrinks: ${changed}`,
      `to-device: ${gone}`,
      `to-directory: ${gone}`,
      `to-fifo: ${gone}`,
      `to-symlink: ${gone}`,
      `vanishes: ${gone}`,
    ]);
    const restored = await restoresAndCatchesUp(stage);
    assert.equal(readFileSync(join(restored, 'quiet'), 'utf8'), 'quiet at first');
    assert.equal(lstatSync(join(restored, 'grows')).size, 'grows at first'.length);
  });
  it('keeps the content of a file whose first name vanishes and whose others stay', async (t) => {
    const stage = await live();
    t.after(() => rmSync(stage.base, { recursive: true }));
    const { at } = stage;
    writeFileSync(at('b-first'), 'has three names');
    linkSync(at('b-first'), at('c-second'));
    linkSync(at('b-first'), at('d-third'));
    writeFileSync(at('e-large'), randomBytes(20 * chunk));
    linkSync(at('e-large'), at('f-large-too'));
    writeFileSync(at('g-all-vanish'), 'no name stays');
    linkSync(at('g-all-vanish'), at('h-all-vanish'));
    const large = readFileSync(at('e-large'));
    const result = await copyWhile(stage, () => {
      for (const name of ['b-first', 'c-second', 'e-large', 'g-all-vanish', 'h-all-vanish']) rmSync(at(name));
    });
    const notes = notesOf(result);
    assert.ok(
      notes.some((note) => note.startsWith('g-all-vanish: vanished')),
      notes.join('\n'),
    );
    const restored = await restoresAndCatchesUp(stage);
    assert.equal(readFileSync(join(restored, 'd-third'), 'utf8'), 'has three names');
    assert.ok(readFileSync(join(restored, 'f-large-too')).equals(large));
    assert.equal(lstatSync(join(restored, 'h-all-vanish'), { throwIfNoEntry: false }), undefined);
  });
});
