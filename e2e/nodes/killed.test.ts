/**
 * The command is killed with SIGKILL in every step of a migration and called again each time. The end is the same as without: the
 * application runs on the target with every line it ever acknowledged, and nothing of ours is left. Then it is rolled back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { stepNames } from '../../src/api/migration.ts';
import { resources } from '../../src/kube/index.ts';
import { noBed, runCli, startCli } from '../support/bed.ts';
import { openScene } from '../support/scene.ts';
import { deploy, leftovers, replicasOf, smallApp, stateOf, waitRunning } from '../support/small-app.ts';
import { statusOf, stepBegins } from '../support/status.ts';

test('killed in every step, the migration ends as if nothing had happened', { skip: noBed, timeout: 600_000 }, async (t) => {
  const { source, target, name, from, to, hubFile, env, ...scene } = openScene(t, 'killed');
  await deploy(source, smallApp(from));
  const pod = await waitRunning(source, from, t.signal);
  await delay(1000);
  const before = await stateOf(source, from, pod);

  const args = ['migrate', ...scene.args, '--yes'];
  let meanwhile = 0;
  for (const step of stepNames) {
    const run = startCli(args, env);
    let ended = false;
    const finished = run.finished.then((result) => {
      ended = true;
      return result;
    });
    await stepBegins(hubFile, name, step, { until: () => ended, signal: t.signal });
    if (!ended) run.child.kill('SIGKILL');
    const result = await finished;
    t.diagnostic(`${step}: ${result.signal ?? `exit ${result.code}`}`);
    assert.ok(result.signal === 'SIGKILL' || result.code === 0, `in step ${step}: ${result.stderr}`);
    if (step === 'Verify') {
      // A person scales the application up on the source while nobody moves it: what it writes now must arrive too.
      await source.patch(resources.deployments, 'counter', from, { type: 'merge', body: { spec: { replicas: 1 } } });
      const again = await waitRunning(source, from, t.signal);
      await delay(1000);
      meanwhile = (await stateOf(source, from, again)).lines.length;
    }
  }

  const last = await runCli([...args, '-o', 'json'], env);
  assert.equal(last.code, 0, last.stderr);
  const status = await statusOf(hubFile, name);
  assert.equal(status?.conditions.find((condition) => condition.type === 'Succeeded')?.status, 'True');

  const after = await stateOf(target, to, await waitRunning(target, to, t.signal));
  assert.deepEqual(
    after.lines,
    after.lines.map((_, index) => index + 1),
    'no line is missing, none is there twice',
  );
  assert.ok(meanwhile > before.lines.length);
  assert.ok(after.lines.length >= meanwhile, 'what was written while the move was interrupted is there');
  assert.equal(after.markerHash, before.markerHash);
  assert.equal(after.link, before.link);
  assert.equal(after.block, before.block);
  assert.deepEqual(await leftovers(source, name), []);
  assert.deepEqual(await leftovers(target, name), []);
  assert.equal(await replicasOf(source, from), 0);

  const back = await runCli(['rollback', name, '--yes'], env);
  assert.equal(back.code, 0, back.stderr);
  const started = await stateOf(source, from, await waitRunning(source, from, t.signal));
  assert.ok(started.lines.length >= before.lines.length, 'the source goes on where it was');
  assert.equal(await replicasOf(target, to), 0, 'never on both sides');
});
