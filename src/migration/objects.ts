/** Applies one phase of the plan and keeps count of what became of every object. */
import type { Outcome } from '../api/outcome.ts';
import type { PlanPhase } from '../api/plan.ts';
import { applySteps } from '../apply/index.ts';
import { TranshipError } from '../errors.ts';
import { thePlan } from './sections.ts';
import type { Run } from './state.ts';

const shownFailures = 20;

/** @throws Incomplete naming the objects that the target did not take */
export async function applyPhase(run: Run, phase: PlanPhase): Promise<Outcome[]> {
  const plan = await thePlan(run);
  const outcomes = await applySteps(run.target, plan.steps, {
    phase,
    previous: [...run.outcomes.values()],
    signal: run.signal,
    fieldManager: 'tranship',
    onOutcome(outcome) {
      keep(run, outcome);
      run.touch();
    },
  });
  for (const outcome of outcomes) keep(run, outcome);
  await run.save();
  const failed = outcomes.filter((outcome) => outcome.result === 'Failed');
  if (failed.length > 0) {
    const named = failed.slice(0, 5).map((outcome) => `${outcome.step}: ${outcome.message ?? outcome.reason ?? 'failed'}`);
    throw new TranshipError('Incomplete', `${failed.length} objects were not taken by ${run.target.name}: ${named.join('; ')}`, {
      hint: `tranship status ${run.migration.metadata.name} lists them; tranship resume tries them again.`,
    });
  }
  return outcomes;
}

function keep(run: Run, outcome: Outcome): void {
  const before = run.outcomes.get(outcome.step);
  const planned = run.plan?.steps.find((candidate) => candidate.id === outcome.step);
  let became = outcome.result;
  if (became === 'Unchanged') {
    // A second pass, or a second process, meets our own object again: what counts is how it came to be.
    if (before !== undefined && before.result !== 'Failed') became = before.result;
    else if (planned?.action === 'Create') became = 'Created';
  }
  run.outcomes.set(outcome.step, { ...outcome, result: became });
  const all = [...run.outcomes.values()];
  const counts: Record<string, number> = { Planned: run.plan?.steps.length ?? run.status.objects['Planned'] ?? 0 };
  for (const { result } of all) counts[result] = (counts[result] ?? 0) + 1;
  run.status.objects = counts;
  run.status.failedObjects = all
    .filter(({ result }) => result === 'Failed')
    .slice(0, shownFailures)
    .map(({ step, reason, message }) => ({ target: step, reason: reason ?? 'Failed', message: message ?? '' }));
}
