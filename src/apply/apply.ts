/** The recipe of an apply: layers in order, inside a layer everything at once within bounds, one outcome per object. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '../api/outcome.ts';
import type { PlanPhase, PlanStep } from '../api/plan.ts';
import { codeOf, sentenceOf } from '../errors.ts';
import { kubeDetails, passingReason, type KubeClient } from '../kube/index.ts';
import { manifestHash } from './hash.ts';
import { adopt, ownedSteps, readOwnerUids, withOwners, type Uids } from './owners.ts';
import { Pace } from './pace.ts';
import { failureReason } from './passing.ts';
import { waitUsable } from './wait.ts';
import { writeStep, type Written } from './write.ts';

export interface ApplyOptions {
  phase: PlanPhase;
  /** Outcomes of earlier runs: objects that were written with the same manifest cost no request now. */
  previous: readonly Outcome[];
  signal: AbortSignal;
  onOutcome?: (outcome: Outcome) => void;
  fieldManager: string;
  /** How long a refusal that passes by itself (webhook not up, quota not counted, …) is waited for, per object. Default 60 s. */
  retryForMs?: number;
}

/**
 * Writes the steps of one phase. `steps` are those of the whole plan: owners may be in the other phase. Failed objects do not stop the others;
 * the caller judges the outcomes. Abort at any object, call again to go on: what is there already is recognised as ours.
 */
export async function applySteps(client: KubeClient, steps: readonly PlanStep[], options: ApplyOptions): Promise<Outcome[]> {
  const { signal } = options;
  const run: Run = { client, options, pace: new Pace(), uids: new Map(), done: new Map(options.previous.map((each) => [each.step, each])) };
  const mine = steps.filter((step) => step.phase === options.phase);
  const owned = ownedSteps(steps);
  if (owned.length > 0) await readOwnerUids(client, steps, run.uids, signal);
  const outcomes: Outcome[] = [];
  const layers = Map.groupBy(
    mine.toSorted((a, b) => a.layer - b.layer),
    (step) => step.layer,
  );
  for (const layer of layers.values()) {
    const written = await Promise.all(layer.map(async (step) => await applyStep(run, step)));
    outcomes.push(...written);
    const usable = layer.filter((_, index) => written[index]?.result !== 'Failed');
    await waitUsable(client, usable, signal);
  }
  const late = owned.filter((step) => step.phase === options.phase || options.phase === 'Activate');
  await Promise.all(late.map(async (step) => await run.pace.run(async () => await adopt(client, step, run.uids, signal))));
  return outcomes;
}

interface Run {
  client: KubeClient;
  options: ApplyOptions;
  pace: Pace;
  uids: Uids;
  done: ReadonlyMap<string, Outcome>;
}

async function applyStep(run: Run, step: PlanStep): Promise<Outcome> {
  const hash = manifestHash(step.manifest);
  const base = { step: step.id, target: step.target, manifestHash: hash };
  const before = run.done.get(step.id);
  let outcome: Outcome;
  if (before !== undefined && before.result !== 'Failed' && before.manifestHash === hash) {
    outcome = { ...base, result: 'Unchanged' };
  } else {
    const { object, ...written } = await tryStep(run, step, hash);
    if (object?.metadata.uid !== undefined) run.uids.set(step.id, object.metadata.uid);
    outcome = { ...base, ...written };
  }
  run.options.onOutcome?.(outcome);
  return outcome;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** Tries until it works, the answer is final, or the time for passing reasons is over. Throws only for aborts and lost clusters. */
async function tryStep(run: Run, step: PlanStep, hash: string): Promise<Written> {
  const { client, options, pace } = run;
  const { signal, fieldManager } = options;
  const end = Date.now() + (options.retryForMs ?? 60_000);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await pace.run(async () => await writeStep({ client, fieldManager, signal }, step, withOwners(step, run.uids), hash));
    } catch (error) {
      if (signal.aborted || codeOf(error) === 'Unauthorized') throw error;
      if (kubeDetails(error)?.status === 429) pace.turnedAway();
      const passing = passingReason(error);
      if (passing === undefined || Date.now() > end) {
        // A cluster that is gone is not a property of this object.
        if (passing === 'Unreachable') throw error;
        return { result: 'Failed', reason: failureReason(error), message: sentenceOf(error) };
      }
      await sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt), undefined, { signal });
    }
  }
}
