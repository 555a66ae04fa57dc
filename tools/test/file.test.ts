import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runFile } from './file.ts';

const directory = mkdtempSync(join(tmpdir(), 'runner-'));
after(() => rmSync(directory, { recursive: true, force: true }));

async function run(source: string, timeoutMs = 60_000) {
  const file = join(directory, `${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(
    file,
    `import { test, describe } from 'node:test';\nimport { spawn } from 'node:child_process';\nimport { writeFileSync } from 'node:fs';\n${source}`,
  );
  return await runFile(file, { timeoutMs, env: {}, signal: new AbortController().signal });
}

test('passed, failed and skipped tests are counted once, with reasons', async () => {
  const outcome = await run(`
    describe('suite', () => {
      test('good', () => {});
      test('bad', () => { throw new Error('the reason'); });
      test('later', { skip: 'needs a cluster' }, () => {});
      test('some day', { todo: true }, () => {});
    });`);
  assert.equal(outcome.passed, 1);
  assert.equal(outcome.failures.length, 1);
  assert.match(outcome.failures[0]?.name ?? '', /suite › bad$/);
  assert.match(outcome.failures[0]?.text ?? '', /the reason/);
  assert.deepEqual(
    outcome.skips.map((skip) => skip.reason),
    ['needs a cluster', 'not finished: '],
  );
});

test('a file that cannot be loaded, or holds no test, is a failure', async () => {
  assert.match((await run("throw new Error('at load');")).failures[0]?.text ?? '', /at load/);
  assert.match((await run('')).failures[0]?.text ?? '', /holds no tests/);
});

test('a hanging test is ended and named', async () => {
  const outcome = await run("test('quick', () => {}); test('hangs', () => new Promise(() => setInterval(() => {}, 1000)));", 1500);
  assert.equal(outcome.passed, 1);
  assert.match(outcome.failures[0]?.text ?? '', /did not end within 1.5 s, in the test "hangs"/);
});

test('what a file leaves running is ended with it', async () => {
  const pidFile = join(directory, 'pid');
  const outcome = await run(`test('leaks', () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    child.unref();
    writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
  });`);
  assert.equal(outcome.passed, 1);
  assert.throws(() => process.kill(Number(readFileSync(pidFile, 'utf8')), 0), { code: 'ESRCH' });
});
