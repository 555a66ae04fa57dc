/**
 * The last things before the stop, while the application runs and everything may still fail freely: what an earlier try handed over is taken
 * back, every volume is copied warm, the movers of the last round stand ready, and objects and volumes are captured once more.
 */
import { applyPhase } from './objects.ts';
import { openDirectReaders } from './readers.ts';
import { thePlan } from './sections.ts';
import { nameOf, volumeOf, type Run } from './state.ts';
import { captureNow } from './steps/capture.ts';
import { planNow } from './steps/plan.ts';
import { takeVolumesBack } from './take-back.ts';
import { standing, warmTargets } from './targets.ts';
import { copyWarmRound } from './warm-round.ts';

/** A warm round older than this is done again before the stop: what changed since would have to be copied while nobody is served. */
const freshForMs = 60 * 60_000;

export async function approach(run: Run): Promise<void> {
  await takeVolumesBack(run);
  await captureAndPlan(run);
  await warmUp(run);
  const { volumes } = await thePlan(run);
  await Promise.all([openDirectReaders(run, volumes.slice(0, standing)), warmTargets(run, volumes.slice(0, standing))]);
  // Again: starting the movers took a while, and what is planned now is what is stopped a moment later.
  await captureAndPlan(run);
}

async function captureAndPlan(run: Run): Promise<void> {
  await captureNow(run);
  await planNow(run);
  await applyPhase(run, 'Prepare');
}

/** Volumes that came late, whose staging claim was lost, or whose last round is old. */
async function warmUp(run: Run): Promise<void> {
  const { spec } = run.migration;
  if (spec.warmRounds === 0) return;
  const { volumes } = await thePlan(run);
  const cold = volumes.filter((volume) => {
    const { have, syncedAt } = volumeOf(run.status, nameOf(volume));
    return have === undefined || syncedAt === undefined || Date.now() - Date.parse(syncedAt) > freshForMs;
  });
  await copyWarmRound(run, cold, async () => {});
}
