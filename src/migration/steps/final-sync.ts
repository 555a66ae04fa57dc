/** The last round: the application is stopped, so what is copied now is all there will ever be. Then the restore point is committed. */
import { bytesText } from '../../quantity-text.ts';
import { forEachLimited } from '../../parallel.ts';
import { copyRound } from '../round.ts';
import { closeTarget, standing } from '../targets.ts';
import { point, theCapture, thePlan } from '../sections.ts';
import { nameOf, now, volumeOf, type Run } from '../state.ts';

export async function finalSync(run: Run): Promise<string> {
  const { volumes } = await thePlan(run);
  const done = new Set(run.status.volumes.filter((volume) => volume.finalFor === run.status.frozenAt).map((volume) => volume.name));
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const crowded = volumes.length > standing;
  // All at once: snapshots and pods are waiting, not work, and every second counts now.
  await forEachLimited(volumes, standing, async (volume) => {
    const status = volumeOf(run.status, nameOf(volume));
    if (done.has(status.name)) return;
    try {
      await copyRound(run, volume, status, { final: true, signal, crowded });
      if (crowded) await closeTarget(run, status);
    } catch (error) {
      stop.abort(error); // the application waits: the others must not take their time
      throw error;
    }
    if (run.status.frozenAt !== undefined) status.finalFor = run.status.frozenAt;
    const last = status.rounds.at(-1);
    run.log(
      'info',
      `final round ${last?.round ?? 0}, read from the ${last?.read === 'Direct' ? 'stopped volume' : 'snapshot'}: ${bytesText(last?.bytesChanged ?? 0)} had changed`,
      { volume: status.name },
    );
    await run.save();
  });
  const captured = await theCapture(run);
  await run.archive.commit({
    name: run.status.restorePoint ?? point(run),
    lineage: run.archive.lineage,
    createdAt: run.status.stoppedAt ?? now(),
    cluster: captured.cluster,
    namespaces: captured.namespaces,
    objects: captured.objects.length,
    volumes: volumes.map((volume) => {
      const status = volumeOf(run.status, nameOf(volume));
      const last = status.rounds.at(-1);
      return {
        volume: status.name,
        round: last?.round ?? 0,
        namespace: volume.source.namespace,
        claim: volume.source.claim,
        mode: status.mode,
        capacityBytes: status.capacityBytes,
        manifestHash: last?.manifestHash ?? '',
      };
    }),
  });
  const changed = run.status.volumes.reduce((sum, volume) => sum + (volume.rounds.at(-1)?.bytesChanged ?? 0), 0);
  return `${bytesText(changed)} had changed since the last round; restore point ${run.status.restorePoint ?? ''} committed`;
}
