/** The inverse of Rebind: volumes that were handed over go back to the staging namespace, so that another last round can be copied into them. */
import { codeOf } from '../errors.ts';
import { resources } from '../kube/index.ts';
import { moveVolume, ownLabels, removeMover, stagingNamespace, volumeName } from '../volumes/index.ts';
import { migrationLabel } from '../api/meta.ts';
import { markOf } from './mark.ts';
import { forEachLimited } from '../parallel.ts';
import { thePlan } from './sections.ts';
import { nameOf, volumeOf, type Run } from './state.ts';

/**
 * Decided by what the cluster says, not by what was recorded: a process may have died in the middle of a hand-over. Volumes that are in the
 * staging namespace stay where they are.
 */
export async function takeVolumesBack(run: Run): Promise<void> {
  const { status, migration, target, signal } = run;
  if (status.sections['plan'] === undefined) return;
  const mark = markOf(migration);
  const staging = stagingNamespace(migration.metadata.name);
  const { volumes } = await thePlan(run);
  await forEachLimited(volumes, 8, async (volume) => {
    const state = volumeOf(status, nameOf(volume));
    const name = volumeName(state.name, mark);
    const handedOver = await target.get(resources.persistentVolumeClaims, volume.targetClaim, volume.targetNamespace, { signal });
    const staged = await target.get(resources.persistentVolumeClaims, name, staging, { signal });
    const ours = handedOver?.metadata.annotations?.[migrationLabel] === mark;
    // Killed in the middle of a hand-over, which has no claim for a moment: it is finished first, and then turned round.
    const onTheWay =
      handedOver === undefined && (staged === undefined ? state.have !== undefined : staged.metadata.deletionTimestamp !== undefined);
    if (!ours && !onTheWay) return;
    const inStaging = { namespace: staging, name };
    if (onTheWay) {
      await removeMover(target, staging, `${name}-in`, signal, mark);
      try {
        await moveVolume(target, { migration: mark, from: inStaging, to: volume.claimManifest, timeoutMs: 120_000, signal });
      } catch (error) {
        // Somebody deleted it. The next round makes a new claim and copies everything.
        if (codeOf(error) !== 'NotFound') throw error;
        return;
      }
    }
    const claim = { ...volume.claimManifest, metadata: { name, namespace: staging, labels: ownLabels(mark) } };
    await moveVolume(target, {
      migration: mark,
      from: { namespace: volume.targetNamespace, name: volume.targetClaim },
      to: claim,
      timeoutMs: 120_000,
      signal,
    });
    const back = await target.get(resources.persistentVolumeClaims, name, staging, { signal });
    state.stagingClaimUid = back?.metadata.uid ?? '';
    state.state = 'Synced';
    await run.save();
  });
}
