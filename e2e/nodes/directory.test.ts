/**
 * Through a directory of this machine, which no pod can reach: the movers ask the command, over their channel. In one round, without
 * a warm one. Planted secrets must not turn up in anything that is printed, logged, reported or stored in the clear.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { resources } from '../../src/kube/index.ts';
import { noBed, runCli } from '../support/bed.ts';
import { openScene } from '../support/scene.ts';
import { deploy, leftovers, smallApp, stateOf, waitRunning } from '../support/small-app.ts';

test('moved through a directory, and no secret is told', { skip: noBed, timeout: 900_000 }, async (t) => {
  const { bed, source, target, name, from, to, hubFile, env, ...scene } = openScene(t, 'directory');
  const store = mkdtempSync(join(tmpdir(), 'tranship-store-'));
  t.after(() => rmSync(store, { recursive: true }));
  const canary = `canary-${randomBytes(12).toString('hex')}`;
  await deploy(source, smallApp(from));
  await source.create(resources.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'access', namespace: from },
    stringData: { password: canary },
  });
  const before = await stateOf(source, from, await waitRunning(source, from, t.signal));

  const args = [...scene.args, '--location', `dir:${store}`];
  const planned = await runCli(['plan', ...args, '-o', 'json'], env);
  assert.equal(planned.code, 0, planned.stderr);
  const moved = await runCli(
    ['migrate', ...args, '--streams', '4', '--warm-rounds', '0', '--verify', 'All', '--yes', '-v', '-o', 'json'],
    env,
  );
  assert.equal(moved.code, 0, moved.stderr);
  const status = await runCli(['status', name, '-o', 'json'], env);
  const logs = await runCli(['logs', name], env);

  const after = await stateOf(target, to, await waitRunning(target, to, t.signal));
  assert.equal(after.markerHash, before.markerHash);
  assert.equal(after.block, before.block);
  assert.deepEqual(
    after.lines,
    after.lines.map((_, index) => index + 1),
  );
  assert.deepEqual(await leftovers(source, name), []);
  assert.deepEqual(await leftovers(target, name), []);
  const carried = await target.get(resources.secrets, 'access', to);
  const data = carried?.['data'] as { password?: string } | undefined;
  assert.equal(data?.password, Buffer.from(canary).toString('base64'));

  const secrets = [canary, Buffer.from(canary).toString('base64'), bed.s3.secretAccessKey];
  const printed = { plan: planned, migrate: moved, status, logs };
  for (const [what, result] of Object.entries(printed)) {
    for (const secret of secrets) assert.ok(!`${result.stdout}${result.stderr}`.includes(secret), `${what} tells a secret`);
  }
  // The store is encrypted as a whole; the hub holds the archive's key, and therefore belongs to its user alone.
  for (const file of filesUnder(store)) assert.ok(!readFileSync(file).includes(canary), `${file} holds a secret in the clear`);
  for (const file of filesUnder(dirname(hubFile))) {
    assert.ok(!readFileSync(file).includes(canary), `${file} holds a secret in the clear`);
    assert.equal(statSync(file).mode & 0o077, 0, `${file} can be read by others`);
  }
});

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
