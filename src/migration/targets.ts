/** Where a round is written to: the staging claim of a volume and the mover beside it, made once and kept until the volume is handed over. */
import type { VolumeStatus } from '../api/migration.ts';
import type { PlannedVolume } from '../api/plan.ts';
import { removeMover, stagingClaim, stagingNamespace, startMover, volumeName, type MoverPod } from '../volumes/index.ts';
import { markOf } from './mark.ts';
import { keepWarm, moverRequest } from './mover-request.ts';
import { nameOf, volumeOf, type Run } from './state.ts';

/** Movers that stand ready at the same time, per side. More would not find room on small clusters; further volumes get theirs when it is their turn. */
export const standing = 16;

/** Goes on with the claim and the mover that are there. A claim that is new to us resets what the status says of the volume. */
export async function openTarget(run: Run, volume: PlannedVolume, status: VolumeStatus, signal: AbortSignal): Promise<MoverPod> {
  const staging = stagingNamespace(run.migration.metadata.name);
  const name = volumeName(status.name, markOf(run.migration));
  const claim = await stagingClaim(run.target, {
    migration: markOf(run.migration),
    staging,
    name,
    like: volume.claimManifest,
    signal,
  });
  if (claim.metadata.uid !== status.stagingClaimUid) {
    // Another claim than the one that `have` speaks of: of its volume nothing is known but that it is new.
    delete status.have;
    status.begun = [];
    status.stagingClaimUid = claim.metadata.uid ?? '';
    await run.save();
  }
  return await startMover(run.target, {
    ...moverRequest(run, volume, signal),
    namespace: staging,
    name: `${name}-in`,
    claim: name,
    readOnly: false,
  });
}

/** Before the application is stopped: every volume has its claim, its mover runs, and the program in it is loaded. */
export async function warmTargets(run: Run, volumes: readonly PlannedVolume[]): Promise<void> {
  await Promise.all(
    volumes.map(async (volume) => {
      const status = volumeOf(run.status, nameOf(volume));
      const pod = await openTarget(run, volume, status, run.signal);
      await keepWarm(run, run.target, pod);
    }),
  );
}

/** Removes the mover; the claim and what it holds stay. */
export async function closeTarget(run: Run, status: VolumeStatus): Promise<void> {
  const { metadata } = run.migration;
  const mark = markOf(run.migration);
  await removeMover(run.target, stagingNamespace(metadata.name), `${volumeName(status.name, mark)}-in`, run.signal, mark);
}
