/** Stops the application on the source. Everything slow is done before: from the first stopped workload on, users notice. */
import { TranshipError } from '../../errors.ts';
import { count } from '../../quantity-text.ts';
import { approach } from '../approach.ts';
import { claimsBesidePlan, startSource, stopSource } from '../fence.ts';
import { theCapture, thePlan } from '../sections.ts';
import type { Run } from '../state.ts';

export async function freeze(run: Run): Promise<string> {
  const { status, migration, source } = run;
  // What is stopped already (we were killed here) is not approached again: it is stopped, and every second counts.
  if (status.frozenAt === undefined) {
    // Killed while starting the source again: that is finished first, so that nobody waits for the approach.
    if (status.frozen.length > 0) await startSource(run);
    await approach(run);
  }
  await stopSource(run);
  const { volumes } = await thePlan(run);
  const besides = await claimsBesidePlan(run, volumes);
  if (besides.length > 0) {
    await startSource(run);
    throw new TranshipError(
      'Conflict',
      `The volumes of the application changed while it was being stopped: ${besides.slice(0, 5).join(', ')}. It runs on ${source.name} again.`,
      {
        hint: `tranship resume ${migration.metadata.name} plans anew and tries again.`,
      },
    );
  }
  if (status.restorePoint === undefined || status.restorePointFor !== status.frozenAt) {
    const restorePoint = `${migration.metadata.name}-${(status.frozenAt ?? '').replace(/[^0-9]/g, '')}`;
    await run.archive.writeSection(restorePoint, 'objects', JSON.parse(JSON.stringify(await theCapture(run))));
    status.restorePoint = restorePoint;
    if (status.frozenAt !== undefined) status.restorePointFor = status.frozenAt;
  }
  return `${count(status.frozen.length, 'workload')} stopped on ${source.name}, no pod runs`;
}
