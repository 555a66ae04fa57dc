/** Creates on the target everything that does not run yet. The application on the source is not touched. */
import { ensureStaging } from '../../volumes/index.ts';
import { markOf } from '../mark.ts';
import { applyPhase } from '../objects.ts';
import { count } from '../../quantity-text.ts';
import { thePlan } from '../sections.ts';
import type { Run } from '../state.ts';
import { tryClaims } from '../targets.ts';

export async function prepare(run: Run): Promise<string> {
  const mark = markOf(run.migration);
  await ensureStaging(run.source, mark, run.signal);
  await ensureStaging(run.target, mark, run.signal);
  const outcomes = await applyPhase(run, 'Prepare');
  await tryClaims(run, (await thePlan(run)).volumes);
  return `${count(outcomes.length, 'object')} on ${run.target.name}`;
}
