/** Cancel: everything is undone, as long as nothing was started on the target. After that the way back is a rollback, which destroys nothing. */
import { migrationLabel } from '../api/meta.ts';
import type { PlanPhase } from '../api/plan.ts';
import { TranshipError, codeOf } from '../errors.ts';
import { sweep } from '../volumes/index.ts';
import { startSource } from './fence.ts';
import { foreignIn, foreignOf } from './foreign.ts';
import { markOf } from './mark.ts';
import { closeReaders } from './readers.ts';
import { thePlan } from './sections.ts';
import { now, setState, stepOf, type Run } from './state.ts';
import { takeVolumesBack } from './take-back.ts';

/** Started on the target once: what was written there since exists nowhere else. */
export function wasActivated(run: Pick<Run, 'status'>): boolean {
  return run.status.targetState === 'Running' || run.status.targetState === 'Stopped';
}

/**
 * The source runs as before, and nothing that we made is left on either cluster. The archive stays.
 * @throws Conflict when the application was started on the target: nothing is done then
 */
export async function undoAll(run: Run): Promise<void> {
  const { status, migration, signal } = run;
  if (wasActivated(run)) {
    throw new TranshipError(
      'Conflict',
      `The application was started on ${run.target.name} already; cancelling would destroy what it wrote there.`,
      {
        hint: `tranship rollback ${migration.metadata.name} stops it there and starts it on the source; tranship resume finishes the move.`,
      },
    );
  }
  const step = stepOf(status, 'Undo');
  step.state = 'Running';
  step.startedAt = now();
  step.attempts += 1;
  await startSource(run);
  await closeReaders(run);
  // Filled volumes that were handed over are ours as long as nothing ran there: they go back, and then with the staging namespace.
  await takeVolumesBack(run);
  await removeCreated(run);
  await Promise.all([run.source, run.target].map((client) => sweep(client, markOf(migration), { timeoutMs: 180_000, signal })));
  for (const volume of status.volumes) {
    delete volume.have;
    delete volume.stagingClaimUid;
    volume.begun = [];
  }
  step.state = 'Done';
  step.finishedAt = now();
  step.message = 'the source runs as before; nothing of ours is left on the clusters';
  status.finishedAt = now();
  run.log('info', `cancelled: ${step.message}`);
  setState(run, 'failed', 'Canceled', 'Cancelled; the application runs on the source as before.');
}

/**
 * Deletes on the target what this migration created there, last layer first. What was there before us carries no mark of ours, and what others
 * use by now stays: a definition with objects that are not ours, a namespace with anything that is not ours.
 * @param phase only this phase; absent: all
 */
export async function removeCreated(run: Run, phase?: PlanPhase): Promise<void> {
  if (run.status.sections['plan'] === undefined) return;
  const plan = await thePlan(run);
  const mark = markOf(run.migration);
  const { target, signal } = run;
  const chosen = plan.steps.filter((step) => phase === undefined || step.phase === phase).toSorted((a, b) => b.layer - a.layer);
  for (const step of chosen) {
    const { name, namespace, kind } = step.target;
    try {
      const there = await target.get(step.resource, name, namespace, { signal });
      if (there?.metadata.annotations?.[migrationLabel] !== mark) continue;
      const foreign =
        kind === 'Namespace'
          ? await foreignIn(target, name, mark, signal)
          : kind === 'CustomResourceDefinition'
            ? await foreignOf(target, there, mark, signal)
            : [];
      if (foreign.length > 0) {
        run.log('warn', `${kind} ${name} stays on ${target.name}: others use it (${foreign.slice(0, 3).join(', ')})`);
        continue;
      }
      await target.delete(step.resource, name, namespace, { signal, uid: there.metadata.uid ?? '' });
    } catch (error) {
      if (codeOf(error) !== 'NotFound') throw error; // its definition went before it
    }
  }
}
