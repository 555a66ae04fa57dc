import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asTyped, nextNumber, readEnv, runOf } from './command.ts';

test('each run takes a number that neither the hub nor this checkout has used', () => {
  assert.equal(nextNumber([], 0), 1);
  assert.equal(nextNumber(['demo'], 0), 2);
  assert.equal(nextNumber(['demo', 'demo-7', 'shop-to-new', 'demo-x'], 3), 8);
  assert.equal(nextNumber(['demo'], 4), 5);
  assert.equal(nextNumber(['demo'], Number.NaN), 2);
});

test('the command is what is run, word for word', () => {
  const { args } = runOf('demo', { from: 'shop', to: 'shop-new', storageClasses: { fast: 'silver' } }, 'tranship');
  const typed = asTyped(args);
  assert.deepEqual(typed.replaceAll(/\\\n +/g, '').split(/\s+/), ['./bin/tranship', ...args]);
  assert.match(typed, /^\.\/bin\/tranship migrate --from source --to target -n shop \\\n/);
});

test('the settings for a shell are read with and without quotes', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tranship-demo-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'env');
  writeFileSync(file, '# a comment\nexport A=\'one two\'\nB="x=y"\nC=plain\n');
  assert.deepEqual(readEnv(file), { A: 'one two', B: 'x=y', C: 'plain' });
});
