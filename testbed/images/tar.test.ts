import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeTar } from './tar.ts';
import { addDirectory, addFile, addLink, newRoot, type Tree } from './tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'tranship-tar-'));
after(() => rmSync(dir, { recursive: true }));
const { signal } = new AbortController();
const long = `usr/share/${'deep/'.repeat(30)}ünïcode`;

writeFileSync(join(dir, 'source'), 'x'.repeat(1500));

function fill(tree: Tree): Tree {
  addFile(tree, 'app/program', 'hello', 0o755);
  addFile(tree, 'app/big', { from: join(dir, 'source') });
  addFile(tree, long, 'far');
  addLink(tree, 'app/link', `/${long}`);
  addDirectory(tree, 'data', 0o2750, 999);
  return tree;
}

test('the same entries give the same bytes, whatever their order and the age of their sources', async () => {
  const one = await writeTar(join(dir, 'one.tar'), fill(new Map()), signal);
  utimesSync(join(dir, 'source'), 1, 1);
  const turned = new Map([...fill(new Map())].toReversed());
  const two = await writeTar(join(dir, 'two.tar'), turned, signal);
  assert.deepEqual(one, two);
  const bytes = readFileSync(join(dir, 'two.tar'));
  assert.equal(one.sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(one.size, bytes.length);
  assert.equal(bytes.length % 512, 0);
});

test('tar reads it: modes, owners, links, long names, contents', async () => {
  await writeTar(join(dir, 'three.tar'), fill(newRoot()), signal);
  const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' };
  const listed = execFileSync('tar', ['-tvf', join(dir, 'three.tar'), '--numeric-owner', '--quoting-style=literal'], {
    encoding: 'utf8',
    env,
  });
  const lines = listed
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
  assert.ok(lines.includes('-rwxr-xr-x 0/0 5 1970-01-01 00:00 app/program'), listed);
  assert.ok(lines.includes('drwxr-s--- 999/999 0 1970-01-01 00:00 data/'));
  assert.ok(lines.includes('drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/'));
  assert.ok(lines.includes(`lrwxrwxrwx 0/0 0 1970-01-01 00:00 app/link -> /${long}`));
  assert.ok(lines.includes('lrwxrwxrwx 0/0 0 1970-01-01 00:00 lib -> usr/lib'));
  const read = (name: string): string => execFileSync('tar', ['-xOf', join(dir, 'three.tar'), name], { encoding: 'utf8', env });
  assert.equal(read(long), 'far');
  assert.equal(read('app/big'), 'x'.repeat(1500));
});

test('a parent comes before what is in it', async () => {
  await writeTar(join(dir, 'four.tar'), fill(newRoot()), signal);
  const names = execFileSync('tar', ['-tf', join(dir, 'four.tar')], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
  for (const [at, name] of names.entries()) {
    const parent = name.replace(/[^/]+\/?$/, '');
    if (parent !== '') assert.ok(names.indexOf(parent) >= 0 && names.indexOf(parent) < at, name);
  }
});
