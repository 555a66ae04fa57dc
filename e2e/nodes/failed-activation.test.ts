/**
 * The application cannot start on the target: its pods fit no node there. The source is started again by itself; when the cause is mended,
 * the same migration goes on and ends with everything that was written in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { resources } from '../../src/kube/index.ts';
import { noBed, runCli } from '../support/bed.ts';
import { openScene } from '../support/scene.ts';
import { deploy, leftovers, replicasOf, smallApp, stateOf, waitRunning } from '../support/small-app.ts';
import { statusOf } from '../support/status.ts';

test(
  'what cannot start on the target runs on the source again, and moves when the cause is mended',
  { skip: noBed, timeout: 900_000 },
  async (t) => {
    const { bed, source, target, name, from, to, hubFile, env, args } = openScene(t, 'pinned');
    await deploy(source, smallApp(from));
    const pinned = { 'kubernetes.io/hostname': bed.clusters.source.nodeName };
    const pin = (nodeSelector: object | null) => ({ spec: { template: { spec: { nodeSelector } } } });
    await source.patch(resources.deployments, 'counter', from, { type: 'merge', body: pin(pinned) });
    await delay(500);
    await waitRunning(source, from, t.signal);

    const failed = await runCli(['migrate', ...args, '--timeout-ready', '15s', '--yes'], env);
    assert.equal(failed.code, 1, failed.stderr);
    assert.match(failed.stderr, /runs on source again/);
    assert.equal(await replicasOf(source, from), 1);
    assert.equal(await replicasOf(target, to), undefined, 'nothing is left that could start on the target later');
    const status = await statusOf(hubFile, name);
    assert.equal(status?.sourceState, 'Running');
    const between = await stateOf(source, from, await waitRunning(source, from, t.signal));

    await source.patch(resources.deployments, 'counter', from, { type: 'merge', body: pin(null) });
    await delay(500);
    await waitRunning(source, from, t.signal);
    const resumed = await runCli(['resume', name], env);
    assert.equal(resumed.code, 0, resumed.stderr);
    const after = await stateOf(target, to, await waitRunning(target, to, t.signal));
    assert.ok(after.lines.length >= between.lines.length, 'what was written after the failure is there');
    assert.deepEqual(
      after.lines,
      after.lines.map((_, index) => index + 1),
    );
    assert.equal(after.block, between.block);
    assert.equal(await replicasOf(source, from), 0);
    assert.deepEqual(await leftovers(source, name), []);
    assert.deepEqual(await leftovers(target, name), []);
  },
);
