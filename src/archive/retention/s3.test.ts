/** The same deletion against a real S3 server: batches, conditional create and the clock are the server's. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLocation, parseLocationUrl } from '../../location/index.ts';
import { leftovers, lineageOn } from '../testing/lineage-rig.ts';

const gateway =
  process.env['TRANSHIP_VERSITYGW'] ?? globSync(join(homedir(), '.cache/tranship/testbed/**/versitygw')).find((path) => existsSync(path));
const skip = gateway === undefined ? 'no versitygw binary: set TRANSHIP_VERSITYGW' : false;

test('on an S3 server: shared packs stay, the rest goes, the dry run was right', { skip }, async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'retention-s3-'));
  for (const path of ['iam', 'posix/bucket']) mkdirSync(join(scratch, path), { recursive: true });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = spawn(gateway ?? '', ['--port', `127.0.0.1:${port}`, '--iam-dir', join(scratch, 'iam'), 'posix', join(scratch, 'posix')], {
    env: { ROOT_ACCESS_KEY: 'test', ROOT_SECRET_KEY: 'testsecret' },
    stdio: 'ignore',
  });
  try {
    while (
      !(await fetch(endpoint).then(
        () => true,
        () => false,
      ))
    )
      await sleep(20);
    const credentials = { accessKeyId: 'test', secretAccessKey: 'testsecret' };
    const store = openLocation(parseLocationUrl('s3://bucket/some/prefix', { endpoint, credentials }));
    const rig = await lineageOn(store);
    await rig.copy(store, 'db', 0, undefined, { a: ['one'], b: ['x', 'y', 'shared'] });
    await rig.commit(store, 'p0', { db: 0 });
    await rig.copy(store, 'db', 1, 0, { a: ['two'], b: ['x', 'y', 'shared'] });
    await rig.commit(store, 'p1', { db: 1 });
    const dry = await rig.retain(store, { points: ['p0'], dryRun: true });
    const real = await rig.retain(store, { points: ['p0'], abandonedAfterMs: 3_600_000 });
    assert.ok(real.bytes > 0);
    assert.deepEqual([real.bytes, real.objects, real.refused], [dry.bytes, dry.objects, []]);
    assert.deepEqual(await rig.checkAll(store), ['p1']);
    await rig.retain(store, { points: ['p1'] });
    assert.deepEqual(await leftovers(store, rig), []);
    await store.close();
  } finally {
    server.kill('SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
  }
});

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
