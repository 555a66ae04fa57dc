/** The filled volumes leave the staging namespace and become the application's claims. */
import { count } from '../../quantity-text.ts';
import { moveVolume, removeMover, stagingNamespace, volumeName } from '../../volumes/index.ts';
import { markOf } from '../mark.ts';
import { forEachLimited } from '../../parallel.ts';
import { thePlan } from '../sections.ts';
import { nameOf, volumeOf, type Run } from '../state.ts';

export async function rebind(run: Run): Promise<string> {
  const { volumes } = await thePlan(run);
  const staging = stagingNamespace(run.migration.metadata.name);
  const mark = markOf(run.migration);
  // Waits for all, also when one fails: what undoes this must not run beside it.
  await forEachLimited(volumes, 16, async (volume) => {
    const status = volumeOf(run.status, nameOf(volume));
    if (status.state === 'Bound') return;
    const name = volumeName(status.name, mark);
    // Both at once: the cluster itself keeps the old claim until its pod is gone.
    await Promise.all([
      removeMover(run.target, staging, `${name}-in`, run.signal, mark),
      moveVolume(run.target, {
        migration: mark,
        from: { namespace: staging, name },
        to: volume.claimManifest,
        timeoutMs: run.migration.spec.timeouts.moverStartSeconds * 1000,
        signal: run.signal,
      }),
    ]);
    status.state = 'Bound';
    await run.save();
  });
  return `${count(volumes.length, 'claim')} bound`;
}
