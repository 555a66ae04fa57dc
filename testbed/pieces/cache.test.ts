import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { cacheDir, cached } from './cache.ts';
import type { Work } from './pieces.ts';

let dir: string;
const work: Work = { signal: new AbortController().signal, onProgress: () => {} };
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'tranship-cache-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A process that takes the lock, writes half an entry, says so and stays. */
const halfWay = `
  const { cached } = await import(process.argv[1]);
  const { writeFileSync } = await import('node:fs');
  const work = { signal: new AbortController().signal, onProgress: () => {} };
  await cached('thing', work, async (part) => {
    writeFileSync(part + '/half', '');
    console.log('half');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }, process.argv[2]);`;

function startHalfWay(): { child: ReturnType<typeof spawn>; half: Promise<unknown>; ended: Promise<unknown> } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', halfWay, join(import.meta.dirname, 'cache.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    child,
    half: new Promise((resolve) => child.stdout.once('data', resolve)),
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}

test('a maker that is killed in the middle leaves nothing that looks complete, and the next one makes it', async () => {
  const { child, half, ended } = startHalfWay();
  await half;
  child.kill('SIGKILL');
  await ended;
  assert.equal(existsSync(join(dir, 'thing')), false);
  const entry = await cached('thing', work, async (part) => writeFileSync(join(part, 'whole'), ''), dir);
  assert.deepEqual(readdirSync(entry), ['whole']);
  assert.deepEqual(readdirSync(dir), ['thing'], 'leftovers and lock of the dead are gone');
});

test('a second caller waits for the living maker and tells so', async () => {
  const { child, half, ended } = startHalfWay();
  await half;
  const told = Promise.withResolvers<string>();
  let made = false;
  const make = async (): Promise<void> => void (made = true);
  const second = cached('thing', { ...work, onProgress: told.resolve }, make, dir);
  assert.match(await told.promise, new RegExp(`^thing: another process \\(${child.pid}\\)`));
  assert.equal(made, false);
  child.kill('SIGKILL');
  await ended;
  await second;
  assert.equal(made, true);
});

test('callers at the same time make it once', async () => {
  let makes = 0;
  const make = async (part: string): Promise<void> => {
    makes++;
    await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(join(part, 'x'), '');
  };
  await Promise.all(Array.from({ length: 5 }, () => cached('thing', work, make, dir)));
  assert.equal(makes, 1);
});

test('a maker that fails or is stopped leaves nothing', async () => {
  const failing = cached('thing', work, () => Promise.reject(new Error('no')), dir);
  await assert.rejects(failing, /no/);
  const stop = new AbortController();
  await assert.rejects(
    cached('thing', { ...work, signal: stop.signal }, async () => stop.abort(), dir),
    { name: 'AbortError' },
  );
  assert.deepEqual(readdirSync(dir), []);
});

test('the cache is where the user says', () => {
  assert.equal(cacheDir({ TRANSHIP_CACHE: '/a', XDG_CACHE_HOME: '/b' }), '/a');
  assert.equal(cacheDir({ XDG_CACHE_HOME: '/b' }), '/b/tranship/testbed');
});
