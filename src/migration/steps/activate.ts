/** Starts the application on the target and waits until it is ready. */
import { waitReady } from '../../apply/index.ts';
import { applyPhase } from '../objects.ts';
import { count } from '../../quantity-text.ts';
import { thePlan } from '../sections.ts';
import { now, type Run } from '../state.ts';
import { compareObjects } from './verify.ts';

export async function activate(run: Run): Promise<string> {
  const { status, migration } = run;
  // From here on the target may have taken writes: unless nothing at all started there, a failure no longer starts the source by itself.
  status.targetState = 'Running';
  await run.save();
  await applyPhase(run, 'Activate');
  const plan = await thePlan(run);
  const started = plan.steps.filter((step) => step.phase === 'Activate').map((step) => step.target);
  await waitReady(run.target, started, {
    timeoutMs: migration.spec.timeouts.readySeconds * 1000,
    signal: run.signal,
    onWaiting: (text) => run.log('info', text),
  });
  status.activatedAt = now();
  if (status.frozenAt !== undefined) status.downtimeSeconds = (Date.parse(status.activatedAt) - Date.parse(status.frozenAt)) / 1000;
  await run.save();
  const differing = await compareObjects(run, plan.steps);
  return `the application is ready on ${run.target.name}, ${status.downtimeSeconds?.toFixed(1) ?? '?'} s after it was stopped; ${count(plan.steps.length, 'object')} compared, ${differing} differ`;
}
