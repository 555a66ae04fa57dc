/**
 * Where a round reads a volume from, as a ladder. Warm rounds: a snapshot, exposed in the staging namespace (or the volume itself when
 * the user asked for that). The final round: the volume itself, by a mover that was started beside it before the application was stopped and
 * has shown that it reaches the archive; what is stopped needs no snapshot, and snapshot, claim and pod are seconds without service. Where the
 * application's namespace does not take such a pod, that rung is declined with its reason and the final round reads a snapshot too.
 */
import { createHash } from 'node:crypto';
import type { VolumeStatus } from '../api/migration.ts';
import type { PlannedVolume } from '../api/plan.ts';
import { TranshipError, sentenceOf } from '../errors.ts';
import { protocolVersion } from '../mover/index.ts';
import {
  dropSnapshot,
  exposeSnapshot,
  removeMover,
  removeMovers,
  runInPod,
  stagingNamespace,
  startMover,
  takeSnapshot,
  volumeName,
  type MoverPod,
  type TakenSnapshot,
} from '../volumes/index.ts';
import { startBeside } from './beside.ts';
import { access, keepWarm, moverRequest, seconds } from './mover-request.ts';
import { markOf } from './mark.ts';
import { nameOf, volumeOf, type Run } from './state.ts';

/** A mover beside a running application must not hold up its stop for long. */
const directStartMs = 60_000;

export interface RoundReader {
  kind: 'Snapshot' | 'Live' | 'Direct';
  pod: MoverPod;
  /** Removes the mover, and the snapshot when there is one. */
  close(): Promise<void>;
}

export interface ReaderOptions {
  round: number;
  final: boolean;
  signal: AbortSignal;
  /** Taken together with others. Absent: one is taken. */
  snapshot?: TakenSnapshot;
}

export async function openReader(run: Run, volume: PlannedVolume, status: VolumeStatus, options: ReaderOptions): Promise<RoundReader> {
  const { signal } = options;
  if (options.final && status.direct !== undefined) {
    const { namespace } = volume.source;
    const pod = await startDirect(run, volume, signal); // runs already; only looked up
    return { kind: 'Direct', pod, close: () => removeMover(run.source, namespace, pod.name, signal, markOf(run.migration)) };
  }
  if (volume.read === 'Live') return await openLive(run, volume, options.round, signal);
  return await openSnapshot(run, volume, status, options);
}

/** Starts the movers of the final round beside the volumes. Never throws for a volume that cannot have one: that is a declined rung. */
export async function openDirectReaders(run: Run, volumes: readonly PlannedVolume[]): Promise<void> {
  if (run.migration.spec.transfer.finalRead === 'Snapshot') return;
  await Promise.all(
    volumes.map(async (volume) => {
      const status = volumeOf(run.status, nameOf(volume));
      try {
        if (volume.source.accessModes.includes('ReadWriteOncePod')) {
          throw new TranshipError('Unsupported', 'only one pod may use a ReadWriteOncePod volume at a time.');
        }
        const pod = await startDirect(run, volume, run.signal);
        const { location, signal } = run;
        await runInPod(run.source, pod, { op: 'probe', version: protocolVersion, archive: access(run) }, { location, signal });
        status.direct = pod.name;
        await keepWarm(run, run.source, pod);
      } catch (error) {
        run.signal.throwIfAborted();
        delete status.direct;
        run.log('info', `the final round will read a snapshot, not the volume itself: ${sentenceOf(error)}`, { volume: status.name });
        await removeMover(run.source, volume.source.namespace, directName(run, volume), run.signal, markOf(run.migration));
      }
    }),
  );
}

/** Removes every mover that stands beside the application's volumes: on another node it would keep them from the application. */
export async function closeReaders(run: Run): Promise<void> {
  const mark = markOf(run.migration);
  for (const namespace of run.migration.spec.namespaces) {
    await removeMovers(run.source, namespace, mark, run.signal);
  }
  for (const volume of run.status.volumes) delete volume.direct;
  for (const { session } of run.warm.values()) session.close();
  run.warm.clear();
}

function directName(run: Run, volume: PlannedVolume): string {
  return `${volumeName(nameOf(volume), markOf(run.migration))}-direct`;
}

async function startDirect(run: Run, volume: PlannedVolume, signal: AbortSignal): Promise<MoverPod> {
  const timeoutMs = Math.min(run.migration.spec.timeouts.moverStartSeconds * 1000, directStartMs);
  return await startBeside(run, volume, { name: directName(run, volume), timeoutMs, signal });
}

async function openSnapshot(run: Run, volume: PlannedVolume, status: VolumeStatus, options: ReaderOptions): Promise<RoundReader> {
  const { migration, source } = run;
  const { round, signal } = options;
  const { namespace } = volume.source;
  const staging = stagingNamespace(migration.metadata.name);
  // A final snapshot belongs to one freeze: after an undo and a second freeze it must never be used again.
  const epoch = options.final
    ? `-${createHash('sha256')
        .update(run.status.frozenAt ?? '')
        .digest('hex')
        .slice(0, 6)}`
    : '';
  const name = `${volumeName(status.name, markOf(migration))}-r${round}${epoch}`;
  status.state = 'Snapshotting';
  run.touch();
  const snapshot = options.snapshot ?? (await takeOwn(run, volume, name, signal));
  status.state = 'Exposing';
  run.touch();
  await exposeSnapshot(source, {
    migration: markOf(migration),
    staging,
    name,
    snapshot,
    mode: volume.source.mode,
    storageClass: volume.temporaryStorageClass ?? volume.source.storageClass,
    capacityBytes: volume.source.capacityBytes,
    timeoutMs: migration.spec.timeouts.snapshotReadySeconds * 1000,
    signal,
  });
  const pod = await startMover(source, {
    ...moverRequest(run, volume, signal),
    namespace: staging,
    name: `${name}-out`,
    claim: name,
    readOnly: true,
  });
  return {
    kind: 'Snapshot',
    pod,
    async close() {
      await removeMover(source, staging, pod.name, signal, markOf(migration));
      await dropSnapshot(source, { staging, name, namespace, signal, migration: markOf(migration) });
    },
  };
}

async function takeOwn(run: Run, volume: PlannedVolume, name: string, signal: AbortSignal): Promise<TakenSnapshot> {
  const { namespace, claim } = volume.source;
  if (volume.snapshotClass === undefined) throw new TranshipError('Unsupported', `Claim ${namespace}/${claim} has no snapshot class.`);
  const begun = Date.now();
  const snapshot = await takeSnapshot(run.source, {
    migration: markOf(run.migration),
    namespace,
    claim,
    name,
    snapshotClass: volume.snapshotClass,
    timeoutMs: run.migration.spec.timeouts.snapshotReadySeconds * 1000,
    signal,
  });
  run.log('info', `snapshot ${name} is ready after ${seconds(begun)} s`, { volume: nameOf(volume) });
  return snapshot;
}

/** Reads the application's own claim, on the node where it is mounted. */
async function openLive(run: Run, volume: PlannedVolume, round: number, signal: AbortSignal): Promise<RoundReader> {
  const name = `${volumeName(nameOf(volume), markOf(run.migration))}-live-r${round}`;
  const timeoutMs = run.migration.spec.timeouts.moverStartSeconds * 1000;
  const pod = await startBeside(run, volume, { name, timeoutMs, signal });
  return { kind: 'Live', pod, close: () => removeMover(run.source, pod.namespace, name, signal, markOf(run.migration)) };
}
