import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { codeOf, TranshipError } from '../errors.ts';
import { portrait, type Rig, rigOn, runHere } from './rig.ts';
import { makeDeep, makeTorture } from './torture.ts';

const root = process.getuid?.() === 0;
const skip = root ? false : 'needs root: owners, device nodes and trusted attributes';

describe('torture tree', { skip }, () => {
  const base = mkdtempSync(join(tmpdir(), 'tranship-torture-'));
  const source = { mode: 'Filesystem' as const, path: join(base, 'source') };
  const target = { mode: 'Filesystem' as const, path: join(base, 'target') };
  let rig: Rig;
  before(async () => {
    mkdirSync(source.path);
    mkdirSync(target.path);
    makeTorture(source.path);
    makeDeep(source.path);
    rig = await rigOn(join(base, 'store'));
  });
  after(() => execFileSync('rm', ['-rf', base]));
  const deep = (path: string): boolean => path.length > 3500;

  it('comes through whole: every attribute, and nothing is notes or problems', async () => {
    const result = await rig.run({ op: 'copy-out', round: 0, source });
    assert.deepEqual(result.notes, []);
    const back = await rig.run({ op: 'copy-in', round: 0, fresh: true, target, verify: 'All' });
    assert.equal(back.manifestHash, result.manifestHash);
    assert.equal(back.bytesTargetRead, 0);
    assert.deepEqual(portrait(target.path, deep), portrait(source.path, deep));
    const bottom = execFileSync('find', [target.path, '-name', 'bottom', '-printf', '%d %s'], { encoding: 'utf8' });
    assert.equal(bottom, '31 4');
  });
  it('keeps the sparse file sparse', () => {
    const [from, to] = [source, target].map(({ path }) => lstatSync(join(path, 'sparse')));
    assert.equal(to?.size, 2 ** 33 + 5);
    assert.ok((to?.blocks ?? Infinity) <= (from?.blocks ?? 0));
  });
  it('stores nothing in plain: no name, no content', () => {
    for (const path of globSync(join(base, 'store/**/*'))) {
      if (!lstatSync(path).isFile()) continue;
      const stored = readFileSync(path);
      for (const word of ['two-chunks', 'hello', 'shop', 'abcabcabc']) assert.ok(!stored.includes(word), `${word} in ${path}`);
    }
  });
  it('notes sockets and leaves them out', async () => {
    const server = createServer().listen(join(source.path, 'socket'));
    await new Promise((ready) => server.once('listening', ready));
    const result = await rig.run({ op: 'copy-out', round: 1, parent: 0, source });
    server.close();
    assert.deepEqual(
      result.notes.map(({ path }) => path),
      ['socket'],
    );
    assert.equal(result.bytesChanged, 0);
  });
  it('leaves lost+found at the root out, and only there', async () => {
    mkdirSync(join(source.path, 'lost+found'));
    mkdirSync(join(source.path, 'dir/lost+found'));
    writeFileSync(join(source.path, 'lost+found/x'), 'x');
    mkdirSync(join(target.path, 'lost+found'));
    await rig.run({ op: 'copy-out', round: 2, parent: 1, source });
    await rig.run({ op: 'copy-in', round: 2, have: 0, fresh: false, target, verify: 'All' });
    const skipped = (path: string): boolean => deep(path) || path === 'lost+found' || path === 'socket';
    assert.deepEqual(portrait(target.path, skipped), portrait(source.path, skipped));
  });
  it('finds and heals a target that others touched', async () => {
    writeFileSync(join(target.path, 'two-chunks'), 'other');
    rmSync(join(target.path, 'dir/sub'), { recursive: true });
    mkdirSync(join(target.path, 'extra/more'), { recursive: true });
    chmodSync(join(target.path, 'setuid'), 0o600);
    rmSync(join(target.path, 'fifo'));
    mkdirSync(join(target.path, 'fifo'));
    rmSync(join(target.path, 'empty'), { recursive: true });
    writeFileSync(join(target.path, 'empty'), 'now a file');
    await assert.rejects(rig.run({ op: 'verify', round: 2, target }), (error) => {
      const { paths } = (error as TranshipError).details as { paths: { path: string }[] };
      const found = new Set(paths.map(({ path }) => path));
      for (const path of ['two-chunks', 'dir/sub', 'extra', 'setuid', 'fifo', 'empty']) assert.ok(found.has(path), path);
      return codeOf(error) === 'Incomplete';
    });
    await rig.run({ op: 'copy-in', round: 2, fresh: false, target, verify: 'All' });
    const skipped = (path: string): boolean => deep(path) || path === 'lost+found' || path === 'socket';
    assert.deepEqual(portrait(target.path, skipped), portrait(source.path, skipped));
  });
  it('says wrong key in its own sentence', async () => {
    const job = rig.job({ op: 'verify', round: 0, target });
    job.archive.key = Buffer.alloc(32, 1).toString('base64');
    await assert.rejects(runHere(job), (error: Error) => codeOf(error) === 'Unauthorized' && /key does not belong/.test(error.message));
  });
});
