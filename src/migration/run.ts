/** The loop over the steps. Steps that are done are skipped; a failure after the freeze starts the application on the source again. */
import { hubNamespace } from '../api/meta.ts';
import { stepNames, type Migration, type StepName, type StepStatus } from '../api/migration.ts';
import { notReadyDetails } from '../apply/index.ts';
import { TranshipError, codeOf, sentenceOf } from '../errors.ts';
import { acquireLease, type Lease } from '../hub/index.ts';
import type { EngineOptions } from './engine.ts';
import { openRun } from './open.ts';
import { fenceBreaks, reopen, startSource } from './fence.ts';
import { closeReaders } from './readers.ts';
import { rollBack, stopTarget } from './rollback.ts';
import { loadMigration, now, setState, stepOf, writeStatus, type Run } from './state.ts';
import { activate } from './steps/activate.ts';
import { captureStep } from './steps/capture.ts';
import { cleanUp } from './steps/clean-up.ts';
import { connect } from './steps/connect.ts';
import { finalSync } from './steps/final-sync.ts';
import { freeze } from './steps/freeze.ts';
import { planStep } from './steps/plan.ts';
import { prepare } from './steps/prepare.ts';
import { rebind } from './steps/rebind.ts';
import { seed } from './steps/seed.ts';
import { verify } from './steps/verify.ts';
import { removeCreated, undoAll, wasActivated } from './undo.ts';
import { watchSpec } from './watch-spec.ts';

const work: Record<StepName, (run: Run) => Promise<string>> = {
  Connect: connect,
  Capture: captureStep,
  Plan: planStep,
  Prepare: prepare,
  Seed: seed,
  Freeze: freeze,
  FinalSync: finalSync,
  Verify: verify,
  Rebind: rebind,
  Activate: activate,
  CleanUp: cleanUp,
};

/**
 * Runs a migration to its end, from wherever an earlier run left it, and returns the object with its final status.
 *
 * Ends in one of: Succeeded; failed (condition Stalled, the application running on the source if it had not been activated on the
 * target); cancelled (everything undone); rolled back.
 * @throws Canceled when `options.signal` aborts: nothing is undone, the next call goes on
 * @throws Conflict when another process runs it
 */
export async function runMigration(options: EngineOptions): Promise<Migration> {
  const lease = await acquireLease(options.hub, {
    namespace: hubNamespace,
    name: `migration-${options.name}`,
    ttlMs: 30_000,
    signal: options.signal,
    onWait: (holder) => options.onWait?.(holder),
  });
  try {
    // Read under the lease: another process may have come further meanwhile.
    const loaded = await loadMigration(options);
    if (isFinished(loaded.migration) && !loaded.migration.spec.rollback) return loaded.migration;
    return await runUnderLease(options, loaded, lease);
  } finally {
    await lease.release();
  }
}

async function runUnderLease(options: EngineOptions, loaded: Awaited<ReturnType<typeof loadMigration>>, lease: Lease): Promise<Migration> {
  const spec = watchSpec(options);
  /** Ends us without undoing anything. A cancel ends the steps only: what undoes them must not be cut by the same signal. */
  const stop = AbortSignal.any([options.signal, lease.lost]);
  const { rollback, cancel } = loaded.migration.spec;
  const undoes = rollback || (cancel && !wasActivated(loaded));
  let run: Run | undefined;
  try {
    run = await openRun(options, undoes ? stop : AbortSignal.any([stop, spec.cancelled]));
    if (rollback) await rollBack(run);
    else if (undoes) await undoAll(run);
    else await steps(run, stop);
    return await writeStatus(options, run.status);
  } catch (error) {
    if (stop.aborted) throw stopped(run, options.name, error);
    if (run === undefined) {
      setState(loaded, 'failed', codeOf(error), sentenceOf(error));
      await writeStatus(options, loaded.status);
      throw error;
    }
    run.signal = stop;
    if (spec.cancelled.aborted && !undoes && !wasActivated(run)) {
      await undoAll(run);
      return await writeStatus(options, run.status);
    }
    const told = await fail(run, error);
    await writeStatus(options, run.status);
    throw told;
  } finally {
    spec.close();
    await run?.close();
  }
}

function stopped(run: Run | undefined, name: string, cause: unknown): TranshipError {
  const down = run !== undefined && run.status.frozen.length > 0 && !wasActivated(run);
  const sentence = down ? `Stopped. Nothing was undone: THE APPLICATION IS STOPPED on ${run.source.name}.` : 'Stopped. Nothing was undone.';
  const hint = down
    ? `tranship resume ${name} goes on from here; tranship cancel ${name} starts it on the source again.`
    : `tranship resume ${name} goes on from here.`;
  return new TranshipError('Canceled', sentence, { hint, cause });
}

function isFinished(migration: Migration): boolean {
  const summary = migration.status?.conditions.find((condition) => condition.type === 'Succeeded');
  return summary?.status === 'True' || summary?.reason === 'Canceled' || summary?.reason === 'RolledBack';
}

/** @param stop what ends even the steps that a cancel no longer ends */
async function steps(run: Run, stop: AbortSignal): Promise<void> {
  const { status } = run;
  status.startedAt ??= now();
  // As long as nothing was changed, a new try looks at everything anew: the user may have mended what blocked the plan.
  if (stepOf(status, 'Prepare').attempts === 0)
    for (const name of ['Connect', 'Capture', 'Plan'] as const) stepOf(status, name).state = 'Pending';
  for (let first = true; ; first = false) {
    const next = stepNames.find((name) => stepOf(status, name).state !== 'Done');
    if (next === undefined) break;
    // After a pause nobody knows what happened on the source; before the start on the target it must be certain.
    if (first || next === 'Activate') {
      if (await fenceWasOpened(run, next)) continue;
    }
    // The target may take writes from here on, so there is no undoing any more: that is what a rollback is for.
    if (next === 'Activate' || wasActivated(run)) run.signal = stop;
    run.signal.throwIfAborted();
    const step = stepOf(status, next);
    begin(step);
    setState(run, 'running', next, `Step ${next} runs.`);
    await run.save();
    step.message = stoppedSteps.has(next) ? await withinFrozenTime(run, work[next]) : await work[next](run);
    step.state = 'Done';
    step.finishedAt = now();
    run.log('info', `${next}: ${step.message}`);
    await run.save();
  }
  status.finishedAt = now();
  setState(run, 'succeeded', 'Succeeded', 'The application runs on the target; its data was verified.');
}

/** The steps between the stop on the source and the start on the target. */
const stoppedSteps: ReadonlySet<StepName> = new Set(['FinalSync', 'Verify', 'Rebind']);

/** True when the source was started behind our back: then the last round is not the last, and everything from the stop on is done anew. */
async function fenceWasOpened(run: Run, next: StepName): Promise<boolean> {
  if (!stoppedSteps.has(next) && next !== 'Activate') return false;
  const breaks = await fenceBreaks(run);
  if (breaks.length === 0) return false;
  const what = breaks.slice(0, 5).join(', ');
  if (wasActivated(run)) {
    throw new TranshipError(
      'Conflict',
      `The application was started on ${run.target.name}, and it runs on ${run.source.name} too: ${what}.`,
      {
        hint: 'Stop one of them by hand before anything else; then call tranship resume or tranship rollback.',
      },
    );
  }
  run.log('warn', `the source was started again since it was stopped (${what}): it is stopped once more and the last round is copied anew`);
  reopen(run);
  await run.save();
  return true;
}

/** Ends a step when the application has been stopped for longer than the user allows. */
async function withinFrozenTime(run: Run, step: (run: Run) => Promise<string>): Promise<string> {
  const { frozenSeconds } = run.migration.spec.timeouts;
  const since = Date.parse(run.status.frozenAt ?? now());
  const deadline = AbortSignal.timeout(Math.max(1, since + frozenSeconds * 1000 - Date.now()));
  const signal = run.signal;
  run.signal = AbortSignal.any([signal, deadline]);
  try {
    return await step(run);
  } catch (error) {
    if (!deadline.aborted || signal.aborted) throw error;
    throw new TranshipError('TimedOut', `The application had been stopped for ${frozenSeconds} s, and the last round was not done.`, {
      hint: 'It is started on the source again. Look at what was slow (tranship logs), or allow more with timeouts.frozenSeconds.',
      cause: error,
    });
  } finally {
    run.signal = signal;
  }
}

function begin(step: StepStatus): void {
  step.state = 'Running';
  step.startedAt = now();
  delete step.finishedAt;
  delete step.message;
  step.attempts += 1;
}

/** The source first, the records after it: the hub may be what failed. Returns the error with where the application runs now. */
async function fail(run: Run, error: unknown): Promise<TranshipError> {
  const step = run.status.steps.find((candidate) => candidate.state === 'Running');
  if (step !== undefined) {
    step.state = 'Failed';
    step.finishedAt = now();
    step.message = sentenceOf(error);
  }
  run.log('error', sentenceOf(error));
  let state = '';
  try {
    if (wasActivated(run) && step?.name === 'Activate' && nothingStarted(error)) await giveUpActivation(run);
    if (!wasActivated(run)) {
      if (run.status.frozen.length > 0) {
        await startSource(run);
        state = `The application runs on ${run.source.name} again.`;
      }
      await closeReaders(run);
    } else if (step?.name === 'Activate') {
      state = `The application stays stopped on ${run.source.name}: tranship rollback ${run.options.name} starts it there.`;
    }
  } catch (undoError) {
    state = sentenceOf(undoError);
    run.log('error', state);
  }
  setState(run, 'failed', codeOf(error), `${sentenceOf(error)} ${state}`.trim());
  await run.save();
  const hint = error instanceof TranshipError ? error.hint : undefined;
  const details = error instanceof TranshipError ? error.details : undefined;
  const sentence = `${error instanceof Error ? error.message : String(error)} ${state}`.trim();
  return new TranshipError(codeOf(error), sentence, { cause: error, details, ...(hint === undefined ? {} : { hint }) });
}

/** waitReady says so when no container of the application was ever started: then the target has written nothing. */
function nothingStarted(error: unknown): boolean {
  return notReadyDetails(error)?.everStarted === false;
}

/** The inverse of an activation that started nothing: what it created goes, and the target counts as never started. */
async function giveUpActivation(run: Run): Promise<void> {
  await stopTarget(run);
  await removeCreated(run, 'Activate');
  for (const id of run.outcomes.keys()) if (run.plan?.steps.find((step) => step.id === id)?.phase === 'Activate') run.outcomes.delete(id);
  delete run.status.targetState;
  run.log('info', `nothing had started on ${run.target.name}: what was created last is removed there`);
}
