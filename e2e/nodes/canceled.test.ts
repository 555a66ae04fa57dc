/** A migration is cancelled from another terminal: before the application was stopped, and after. The source runs on, the target is empty. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '../../src/kube/index.ts';
import { noBed, runCli, startCli } from '../support/bed.ts';
import { openScene } from '../support/scene.ts';
import { deploy, leftovers, replicasOf, smallApp, stateOf, waitRunning } from '../support/small-app.ts';
import { stepBegins } from '../support/status.ts';

// The last round carries everything, slowly: on a busy machine the second command needs some seconds before it can say anything.
const slow = ['--warm-rounds', '0', '--bandwidth-per-stream', '128Ki'];

for (const step of ['Seed', 'FinalSync'] as const) {
  test(`cancelled in step ${step}`, { skip: noBed, timeout: 900_000 }, async (t) => {
    const { source, target, name, from, to, hubFile, env, args } = openScene(t, `cancel-${step.toLowerCase()}`);
    await deploy(source, smallApp(from));
    const before = await stateOf(source, from, await waitRunning(source, from, t.signal));

    const run = startCli(['migrate', ...args, ...(step === 'FinalSync' ? slow : []), '--yes'], env);
    let ended = false;
    const finished = run.finished.finally(() => (ended = true));
    await stepBegins(hubFile, name, step, { until: () => ended, signal: t.signal });
    const cancel = await runCli(['cancel', name], env);
    const result = await finished;
    assert.equal(result.code, 5, `${result.stderr}\n${cancel.stderr}`);

    const deployment = await source.get(resources.deployments, 'counter', from);
    assert.equal(await replicasOf(source, from), 1);
    const annotations = deployment?.metadata.annotations ?? {};
    assert.deepEqual(
      Object.keys(annotations).filter((key) => key.startsWith('tranship.io/')),
      [],
      'no mark of ours stays on the source',
    );
    const after = await stateOf(source, from, await waitRunning(source, from, t.signal));
    assert.ok(after.lines.length >= before.lines.length);
    assert.deepEqual(
      after.lines,
      after.lines.map((_, index) => index + 1),
      'the source lost nothing',
    );
    assert.deepEqual(await leftovers(source, name), []);
    assert.deepEqual(await leftovers(target, name), []);
    const namespace = await target.get(resources.namespaces, to);
    assert.ok(namespace === undefined || namespace.metadata.deletionTimestamp !== undefined, 'the target holds nothing of it');
  });
}
