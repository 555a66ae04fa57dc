/** From an older Kubernetes to a newer one: a bed of its own, whose source runs version 1.34. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { bedDirectory, readTestBed } from '../../testbed/index.ts';
import { clientOf, freshHub, noBed, runCli, userEnvironment } from '../support/bed.ts';
import { deploy, leftovers, smallApp, stateOf, waitRunning } from '../support/small-app.ts';

const bedName = 'older';

/** `node testbed/main.ts …` for the second bed, its progress on our standard error. */
async function testbed(args: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, '..', '..', 'testbed', 'main.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    env: { ...process.env, TRANSHIP_TESTBED_NAME: bedName },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, `testbed ${args.join(' ')}`);
}

test('a source with Kubernetes 1.34 moves to a newer target', { skip: noBed, timeout: 1_100_000 }, async (t) => {
  t.after(() => testbed(['down']));
  await testbed(['up', '--source-version', '1.34', '--image', 'tranship', '--image', 'busybox']);
  const bed = readTestBed(bedDirectory(undefined, bedName));
  assert.ok(bed !== undefined);
  const source = clientOf(bed, 'source');
  const target = clientOf(bed, 'target');
  t.after(async () => {
    await source.close();
    await target.close();
  });
  assert.equal((await source.version()).minor, 34);
  assert.ok((await target.version()).minor > 34);

  await deploy(source, smallApp('older'));
  const before = await stateOf(source, 'older', await waitRunning(source, 'older', t.signal));
  const args = ['migrate', '--from', 'source', '--to', 'target', '-n', 'older', '--map-storage-class', 'fast=silver'];
  args.push('--location', `s3://${bed.s3.bucket}/older`, '--name', 'older', '--yes');
  const moved = await runCli(args, userEnvironment(bed, { TRANSHIP_HUB: freshHub() }));
  assert.equal(moved.code, 0, moved.stderr);

  const after = await stateOf(target, 'older', await waitRunning(target, 'older', t.signal));
  assert.equal(after.markerHash, before.markerHash);
  assert.equal(after.block, before.block);
  assert.deepEqual(
    after.lines,
    after.lines.map((_, index) => index + 1),
  );
  assert.ok(after.lines.length >= before.lines.length);
  assert.deepEqual(await leftovers(source, 'older'), []);
  assert.deepEqual(await leftovers(target, 'older'), []);
});
