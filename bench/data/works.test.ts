import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { block, changedBlocks, content, mebibyte, writeBlocks } from './content.ts';
import { cp, tar } from './others.ts';
import { ownProgram } from './peers.ts';
import type { Tool } from './tool.ts';
import { type Row, type WorkName, works } from './works.ts';

const base = mkdtempSync(join(tmpdir(), 'bench-works-'));
after(() => rmSync(base, { recursive: true }));
const signal = new AbortController().signal;
const sizes = { big: 3, small: 250, large: 4, million: 1001 };

async function run(name: WorkName, tools: Tool[], repetitions = 1): Promise<Row[]> {
  const rows: Row[] = [];
  const temp = mkdtempSync(join(base, 'run-'));
  await works[name].run({
    sizes,
    cache: join(base, 'data'),
    temp,
    repetitions,
    tools: new Map(tools.map((tool) => [tool.id, tool])),
    gateway: () => Promise.reject(new Error('no S3 here')),
    signal,
    onProgress: () => {},
    onRow: (row) => rows.push(row),
  });
  assert.deepEqual(readdirSync(temp), [], 'a work leaves nothing');
  return rows;
}

test('a copy there and back: each step is a row, with what the kernel counted', async () => {
  const rows = await run('big', [cp(ownProgram('cp'))], 2);
  assert.deepEqual(
    rows.map((row) => [row.step, row.repetition]),
    [
      ['first round', 0],
      ['restore', 0],
      ['first round', 1],
      ['restore', 1],
    ],
  );
  assert.equal(rows[0]?.stored, 3 * mebibyte);
  // cp may copy inside the kernel, which counts either way as written.
  for (const { figures } of rows) assert.ok(figures.writtenBytes >= 3 * mebibyte, JSON.stringify(figures));
});

test('many small files through tar are the same afterwards', async () => {
  const rows = await run('small', [tar(ownProgram('tar'))]);
  assert.equal(rows.length, 2);
});

test('a tool that restores other bytes is found out', async () => {
  const honest = cp(ownProgram('cp'));
  const liar: Tool = {
    ...honest,
    async open(place, running) {
      const session = await honest.open(place, running);
      const restore = session.restore?.();
      return {
        ...session,
        restore: () => async (now) => {
          await restore?.(now);
          const fd = openSync(join(place.target, 'file'), 'r+');
          writeSync(fd, 'x', 2 * mebibyte + 5);
          closeSync(fd);
          return undefined;
        },
      };
    },
  };
  await assert.rejects(run('big', [liar]), { code: 'Integrity', message: /file has other bytes/ });
});

test('the change in place is taken back, so that the kept data stays what the seed says', async () => {
  const cache = join(base, 'data');
  const kept = await content('large', sizes, cache, { signal, onProgress: () => {} });
  const before = { bytes: readFileSync(join(kept, 'file')), mtime: Math.floor(statSync(join(kept, 'file')).mtimeMs) };
  const changes: boolean[] = [];
  const copier: Tool = {
    id: 'rsync',
    label: 'a copy instead',
    async open({ source, target }) {
      return {
        apply: () => async () => {
          const bytes = readFileSync(join(source, 'file'));
          changes.push(!bytes.equals(before.bytes));
          writeSync(openSync(join(target, 'file'), 'w'), bytes);
          return undefined;
        },
      };
    },
  };
  const rows = await run('inplace', [copier], 2);
  assert.deepEqual(
    rows.map((row) => row.step),
    ['apply the change', 'apply the change'],
  );
  assert.deepEqual(changes, [true, true]);
  assert.ok(readFileSync(join(kept, 'file')).equals(before.bytes));
  assert.equal(Math.floor(statSync(join(kept, 'file')).mtimeMs), before.mtime);
});

test('rounds change different blocks, one in a hundred', () => {
  assert.equal(changedBlocks(16_384, 1).length, 164);
  assert.equal(new Set([1, 2, 3].flatMap((round) => changedBlocks(16_384, round))).size, 3 * 164);
  assert.equal(changedBlocks(4096, 1, 16_384).length, 164);
});

test('a block is the same every time, and another in another version', () => {
  const file = join(base, 'blocks');
  closeSync(openSync(file, 'w'));
  writeBlocks(file, [1, 0], 0);
  assert.ok(readFileSync(file).equals(Buffer.concat([block(0, 0), block(1, 0)])));
  assert.ok(!block(0, 0).equals(block(0, 1)));
});
