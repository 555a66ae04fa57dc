/** Where a round is written to: the staging claim of a volume and the mover beside it, made once and kept until the volume is handed over. */
import type { VolumeStatus } from '../api/migration.ts';
import { fieldAt } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { PlannedVolume } from '../api/plan.ts';
import { bytesOf } from '../api/quantity.ts';
import { codeOf, sentenceOf, TranshipError } from '../errors.ts';
import { isAlreadyExists, resources } from '../kube/index.ts';
import { bytesText } from '../quantity-text.ts';
import { removeMover, retrying, stagingClaim, stagingNamespace, startMover, volumeName, type MoverPod } from '../volumes/index.ts';
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
  const pod = await startMover(run.target, {
    ...moverRequest(run, volume, signal),
    namespace: staging,
    name: `${name}-in`,
    claim: name,
    readOnly: false,
  });
  // Bound by now, whatever the binding mode of its class: the mover is its first consumer.
  demandRoom(volume, await run.target.get(resources.persistentVolumeClaims, name, staging, { signal }), run.target.name);
  return pod;
}

/**
 * Pure: a volume that is smaller than the one on the source could run full in the middle of the copy, or when the application goes on.
 * @throws Unsupported naming both sizes
 */
export function demandRoom(volume: PlannedVolume, claim: KubeObject | undefined, targetName: string): void {
  const { capacityBytes, mode } = volume.source;
  const made = bytesOf(fieldAt(claim, 'status', 'capacity', 'storage'));
  if (made === 0 || made >= capacityBytes) return;
  const what = `${mode === 'Block' ? 'device' : 'volume'} of ${bytesText(made)}`;
  throw new TranshipError(
    'Unsupported',
    `Volume ${nameOf(volume)} has ${bytesText(capacityBytes)}, but storage class ${volume.targetStorageClass ?? '(default)'} on ${targetName} made a ${what} for it.`,
    { hint: 'Map it to a class that makes volumes as large as they are asked for (--map-storage-class).' },
  );
}

/**
 * Asks the target, without making anything, whether it will take the application's claims: a quota, limit or policy that refuses them
 * would otherwise be met after the application was stopped.
 * @throws what the target answers, with the claim's name
 */
export async function tryClaims(run: Run, volumes: readonly PlannedVolume[]): Promise<void> {
  const { signal } = run;
  for (const { claimManifest, targetNamespace, targetClaim } of volumes) {
    try {
      // A namespace that was made a moment ago refuses for reasons that pass.
      await retrying(async () => await run.target.create(resources.persistentVolumeClaims, claimManifest, { signal, dryRun: true }), {
        timeoutMs: 30_000,
        signal,
      });
    } catch (error) {
      if (isAlreadyExists(error)) continue; // judged by the plan; or ours, handed over in an earlier try
      const sentence = sentenceOf(error);
      if (/does not support dry run/.test(sentence)) {
        run.log('info', `whether ${run.target.name} will take the claim is not known before it is made: ${sentence}`);
        continue;
      }
      const message = `${run.target.name} does not take claim ${targetNamespace}/${targetClaim}: ${sentence}`;
      throw new TranshipError(codeOf(error), message, {
        cause: error,
        hint: 'Nothing was copied yet. Mend that on the target, then call tranship resume.',
      });
    }
  }
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
