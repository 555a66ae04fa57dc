/** After activation: stop the application on the target, start it on the source. What was written on the target since stays there. */
import { refOf } from '../api/object.ts';
import { waitReady } from '../apply/index.ts';
import { TranshipError } from '../errors.ts';
import { startSource } from './fence.ts';
import { markOf } from './mark.ts';
import { closeReaders } from './readers.ts';
import { theCapture, thePlan } from './sections.ts';
import { now, setState, stepOf, type Run } from './state.ts';
import { frozenOf, selectorOf, stopWorkload, waitPodsGone } from './workloads.ts';

/** @throws Conflict when there is nothing to roll back: the application was never stopped on the source */
export async function rollBack(run: Run): Promise<void> {
  const { status, migration, source, target, signal } = run;
  if (status.frozen.length === 0 && status.targetState !== 'Stopped') {
    throw new TranshipError(
      'Conflict',
      `Migration ${migration.metadata.name} has nothing to roll back: the application runs on the source.`,
    );
  }
  const step = stepOf(status, 'Rollback');
  step.state = 'Running';
  step.startedAt = now();
  step.attempts += 1;
  setState(run, 'running', 'Rollback', 'The application goes back to the source.');
  await run.save();
  // The target first: both sides must never write at the same time.
  await stopTarget(run);
  status.targetState = 'Stopped';
  await run.save();
  await closeReaders(run);
  const names = new Set(status.frozen.map((workload) => `${workload.kind} ${workload.namespace}/${workload.name}`));
  await startSource(run, { forGood: true });
  const captured = await theCapture(run);
  const refs = captured.objects
    .map(({ object }) => refOf(object))
    .filter((ref) => names.has(`${ref.kind} ${ref.namespace ?? ''}/${ref.name}`));
  await waitReady(source, refs, {
    timeoutMs: migration.spec.timeouts.readySeconds * 1000,
    signal,
    onWaiting: (text) => run.log('info', text),
  });
  step.state = 'Done';
  step.finishedAt = now();
  step.message = `stopped on ${target.name}, runs on ${source.name}; what was written on ${target.name} since the move stays there`;
  run.log('info', step.message);
  setState(run, 'failed', 'RolledBack', step.message);
}

/** Stops what this migration started on the target, and only that: the namespace may be shared with others. */
export async function stopTarget(run: Run): Promise<void> {
  const { target, migration, signal } = run;
  const plan = await thePlan(run);
  const started = plan.steps.filter((planned) => planned.phase === 'Activate' && planned.action !== 'Exists');
  for (const { manifest } of started) {
    const workload = frozenOf(manifest);
    if (workload !== undefined) await stopWorkload(target, workload, markOf(migration), signal);
  }
  for (const { manifest } of started) {
    const labelSelector = selectorOf(manifest);
    if (frozenOf(manifest) === undefined || labelSelector === undefined || labelSelector === '') continue;
    const timeoutMs = migration.spec.timeouts.stopSeconds * 1000;
    await waitPodsGone(target, [manifest.metadata.namespace ?? ''], { timeoutMs, signal, labelSelector });
  }
}
