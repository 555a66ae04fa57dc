import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { nativeModules } from './applications.ts';

test('koffi works from just the files that go into the image', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tranship-koffi-'));
  try {
    for (const [path, entry] of await nativeModules()) {
      if (entry.type === 'directory') continue;
      assert.ok(entry.type === 'file' && Buffer.isBuffer(entry.content));
      mkdirSync(join(dir, 'node_modules', dirname(path)), { recursive: true });
      writeFileSync(join(dir, 'node_modules', path), entry.content);
    }
    const program = `import koffi from 'koffi'; console.log(koffi.load('libc.so.6').func('int getpid()')() === process.pid);`;
    writeFileSync(join(dir, 'program.mjs'), program);
    assert.equal(execFileSync(process.execPath, ['program.mjs'], { cwd: dir, encoding: 'utf8' }), 'true\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
