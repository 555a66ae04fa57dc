import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { download } from './download.ts';
import type { Work } from './pieces.ts';
import type { Download } from './pins.ts';

const work: Work = { signal: new AbortController().signal, onProgress: () => {} };
const dir = mkdtempSync(join(tmpdir(), 'tranship-download-'));
let archive: Buffer;
const server = createServer((request, response) => {
  if (request.url === '/moved') response.writeHead(302, { location: '/archive' }).end();
  else if (request.url === '/archive') response.end(archive);
  else response.writeHead(404).end();
});
let base: string;

before(async () => {
  mkdirSync(join(dir, 'in', 'deep'), { recursive: true });
  writeFileSync(join(dir, 'in', 'deep', 'program'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(dir, 'in', 'other'), 'not asked for');
  archive = execFileSync('tar', ['-cz', '-C', join(dir, 'in'), './deep', './other']);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
after(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

function pin(path: string, members: string[], hex = createHash('sha256').update(archive).digest('hex')): Download {
  return { name: 'thing', version: '1', url: `${base}${path}`, hash: { algorithm: 'sha256', hex }, members };
}
const cacheOf = (name: string): string => join(dir, name);

test('the right bytes are unpacked, only what was asked for, also after a redirect', async () => {
  const entry = await download(pin('/moved', ['deep/program']), work, cacheOf('good'));
  assert.deepEqual(readdirSync(entry), ['program']);
  assert.equal(readFileSync(join(entry, 'program'), 'utf8'), '#!/bin/sh\n');
  assert.equal(statSync(join(entry, 'program')).mode & 0o111, 0o111);
});

test('other bytes than the pinned are refused and nothing of them stays', async () => {
  await assert.rejects(download(pin('/archive', ['deep/program'], 'ab'.repeat(32)), work, cacheOf('bad')), { code: 'Integrity' });
  assert.deepEqual(readdirSync(cacheOf('bad')), []);
});

test('an archive without a wanted member is refused', async () => {
  await assert.rejects(download(pin('/archive', ['deep/missing']), work, cacheOf('short')), { code: 'Integrity' });
  assert.deepEqual(readdirSync(cacheOf('short')), []);
});

test('no file there, or nobody there, is Unreachable', async () => {
  await assert.rejects(download(pin('/nothing', ['x']), work, cacheOf('none')), { code: 'Unreachable', message: /answers 404/ });
  const refused: Download = { ...pin('', ['x']), url: 'http://127.0.0.1:9/archive' };
  await assert.rejects(download(refused, work, cacheOf('none')), { code: 'Unreachable', message: '127.0.0.1:9 cannot be reached.' });
});
