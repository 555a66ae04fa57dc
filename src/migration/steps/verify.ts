/** Nothing is activated before this: what the target holds is what the source had. */
import type { PlanStep } from '../../api/plan.ts';
import { compareApplied } from '../../apply/index.ts';
import { TranshipError } from '../../errors.ts';
import { bytesText, count } from '../../quantity-text.ts';
import { thePlan } from '../sections.ts';
import { nameOf, volumeOf, type Run } from '../state.ts';

export async function verify(run: Run): Promise<string> {
  const plan = await thePlan(run);
  let bytes = 0;
  for (const volume of plan.volumes) {
    const status = volumeOf(run.status, nameOf(volume));
    const last = status.rounds.at(-1);
    if (last === undefined || status.have !== last.round || status.begun.length > 0) {
      throw new TranshipError('Integrity', `Volume ${status.name}: the target does not hold the last round.`, {
        hint: `tranship resume ${run.migration.metadata.name} copies it again.`,
      });
    }
    status.verified = run.migration.spec.transfer.verify !== 'None';
    status.state = 'Verified';
    bytes += last.bytes;
  }
  const prepared = plan.steps.filter((step) => step.phase === 'Prepare');
  const differing = await compareObjects(run, prepared);
  return `${count(plan.volumes.length, 'volume')} (${bytesText(bytes)}) hold the last round; ${count(prepared.length, 'object')} compared, ${differing} differ`;
}

/**
 * Reads what was applied back from the target. Fields that the target changed (its own webhooks and controllers do) are told and counted.
 * @returns how many objects differ
 * @throws Incomplete when an object is not there
 */
export async function compareObjects(run: Run, steps: readonly PlanStep[]): Promise<number> {
  const differences = await compareApplied(run.target, steps, { signal: run.signal });
  const missing = differences.filter((difference) => difference.path === '').map((difference) => difference.step);
  if (missing.length > 0) {
    throw new TranshipError(
      'Incomplete',
      `${count(missing.length, 'object')} that were created on ${run.target.name} are no longer there: ${missing.slice(0, 10).join(', ')}.`,
      {
        hint: 'Something on the target removes them; tranship logs shows when they were created.',
      },
    );
  }
  for (const { step, path } of differences.slice(0, 20))
    run.log('warn', `${step} ${path} on ${run.target.name} is not as planned: something there changed it`);
  return new Set(differences.map((difference) => difference.step)).size;
}
