/**
 * One warm round of several volumes. Those that are planned together are snapshotted at the same time; where that does not work, each
 * is snapshotted by itself, and the log says why.
 */
import { createHash } from 'node:crypto';
import type { VolumeStatus } from '../api/migration.ts';
import type { PlannedVolume } from '../api/plan.ts';
import { sentenceOf } from '../errors.ts';
import { count } from '../quantity-text.ts';
import { dropGroupSnapshot, takeGroupSnapshot, type TakenSnapshot } from '../volumes/index.ts';
import { markOf } from './mark.ts';
import { forEachLimited } from '../parallel.ts';
import { copyRound } from './round.ts';
import { nameOf, volumeOf, type Run } from './state.ts';

/** @param done called for each volume when its round is on the target */
export async function copyWarmRound(
  run: Run,
  volumes: readonly PlannedVolume[],
  done: (volume: PlannedVolume, status: VolumeStatus) => Promise<void>,
): Promise<void> {
  const { signal } = run;
  const groups = await takeGroups(run, volumes);
  const taken = new Map(groups.flatMap((group) => [...group.taken]));
  await forEachLimited(volumes, run.migration.spec.transfer.parallelVolumes, async (volume) => {
    const status = volumeOf(run.status, nameOf(volume));
    const snapshot = taken.get(status.name);
    await copyRound(run, volume, status, { final: false, signal, ...(snapshot === undefined ? {} : { snapshot }) });
    await done(volume, status);
  });
  for (const { namespace, name } of groups)
    await dropGroupSnapshot(run.source, { migration: markOf(run.migration), namespace, name, signal });
}

interface TakenGroup {
  namespace: string;
  name: string;
  /** By name of the volume. */
  taken: Map<string, TakenSnapshot>;
}

async function takeGroups(run: Run, volumes: readonly PlannedVolume[]): Promise<TakenGroup[]> {
  const together = volumes.filter(({ groupSnapshotClass }) => groupSnapshotClass !== undefined);
  const taken: TakenGroup[] = [];
  for (const group of Map.groupBy(
    together,
    ({ source, groupSnapshotClass }) => `${source.namespace} ${groupSnapshotClass ?? ''}`,
  ).values()) {
    if (group.length < 2) continue; // the others have had this round already
    const made = await takeGroup(run, group);
    if (made !== undefined) taken.push(made);
  }
  return taken;
}

async function takeGroup(run: Run, volumes: readonly PlannedVolume[]): Promise<TakenGroup | undefined> {
  const { migration, signal } = run;
  const namespace = volumes[0]?.source.namespace ?? '';
  const groupSnapshotClass = volumes[0]?.groupSnapshotClass ?? '';
  // The same group for the same rounds, also in another process: what was taken before we were killed is used.
  const rounds = volumes.map((volume) => `${nameOf(volume)} ${volumeOf(run.status, nameOf(volume)).rounds.at(-1)?.round ?? -1}`);
  const hash = createHash('sha256')
    .update([markOf(migration), ...rounds].join('\n'))
    .digest('hex');
  const name = `tranship-group-${hash.slice(0, 10)}`;
  try {
    const byClaim = await takeGroupSnapshot(run.source, {
      migration: markOf(migration),
      namespace,
      claims: volumes.map(({ source }) => source.claim),
      name,
      groupSnapshotClass,
      timeoutMs: migration.spec.timeouts.snapshotReadySeconds * 1000,
      signal,
    });
    run.log('info', `group snapshot ${namespace}/${name} of ${count(volumes.length, 'volume')} is ready`);
    return { namespace, name, taken: new Map([...byClaim].map(([claim, snapshot]) => [`${namespace}/${claim}`, snapshot])) };
  } catch (error) {
    signal.throwIfAborted();
    run.log('warn', `the volumes of ${namespace} are snapshotted one by one, not together: ${sentenceOf(error)}`);
    await dropGroupSnapshot(run.source, { migration: markOf(migration), namespace, name, signal });
    return undefined;
  }
}
