/**
 * One copy round of one volume: snapshot, expose, mover out, archive, mover in. Round 0 is everything, a later one only what changed.
 * The intent is saved before the target is written: `begun` names the rounds of which the target may hold a part.
 */
import type { VolumeStatus } from '../api/migration.ts';
import type { PlannedVolume } from '../api/plan.ts';
import { TranshipError, codeOf, sentenceOf } from '../errors.ts';
import { protocolVersion, type Progress } from '../mover/index.ts';
import { runInPod, type MoverPod, type TakenSnapshot } from '../volumes/index.ts';
import { access, takeWarm } from './mover-request.ts';
import { openReader, type RoundReader } from './readers.ts';
import { openTarget } from './targets.ts';
import { now, type Run } from './state.ts';

export interface RoundOptions {
  final: boolean;
  signal: AbortSignal;
  /** There are more volumes than movers may stand at the same time: also the last round's reader makes room at once. */
  crowded?: boolean;
  /** Taken together with others, and theirs to remove. Absent: the round takes its own. */
  snapshot?: TakenSnapshot;
}

/** Copies one round of a volume to the archive and into its staging claim on the target. */
export async function copyRound(run: Run, volume: PlannedVolume, status: VolumeStatus, options: RoundOptions): Promise<void> {
  const { signal } = options;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  // The target's mover starts while the source makes its snapshot; if one side fails the other must not go on alone.
  const target = openTarget(run, volume, status, both);
  target.catch(() => undefined);
  try {
    await copyOut(run, volume, status, { ...options, signal: both });
    const pod = await target;
    try {
      await copyIn(run, status, pod, both);
    } catch (error) {
      // What the target was known to hold is not what it holds: somebody else wrote there. Then all of it is compared and healed.
      if (codeOf(error) !== 'Conflict' || status.have === undefined || both.aborted) throw error;
      run.log('warn', `the volume on the target was changed by others, it is compared in full: ${sentenceOf(error)}`, {
        volume: status.name,
      });
      status.begun = [...status.begun, status.have];
      delete status.have;
      await copyIn(run, status, pod, both);
    }
  } catch (error) {
    stop.abort(error);
    await target.catch(() => undefined);
    status.state = 'Failed';
    status.message = error instanceof Error ? error.message : String(error);
    throw error;
  }
}

async function copyOut(run: Run, volume: PlannedVolume, status: VolumeStatus, options: RoundOptions): Promise<void> {
  const number = await beginRound(run, status, options.final);
  let reader: RoundReader | undefined;
  try {
    reader = await openReader(run, volume, status, { ...options, round: number.round });
    await copyFrom(run, volume, status, reader, number, options.signal);
  } catch (error) {
    const declines = options.final && status.direct !== undefined;
    if (!declines || options.signal.aborted) {
      if (reader?.kind === 'Live') await reader.close().catch(() => undefined); // it stands beside the running application
      throw error;
    }
    run.log('warn', `reading the volume itself failed, a snapshot is read instead: ${sentenceOf(error)}`, { volume: status.name });
    delete status.direct;
    await copyOut(run, volume, status, options);
    return;
  }
  // The final round's reader is removed at the end, unless others wait for its room: every second here is downtime.
  if (!options.final || options.crowded === true) await reader.close();
}

/**
 * The number of the round, saved before it is begun. A mover that finished a round without our hearing of it returns that round when it is
 * asked for again: right within one stop, and wrong after another one, when the application has written meanwhile.
 */
async function beginRound(run: Run, status: VolumeStatus, final: boolean): Promise<{ round: number; parent: number | undefined }> {
  const parent = status.rounds.at(-1)?.round;
  const epoch = final ? (run.status.frozenAt ?? '') : 'warm';
  let round = (parent ?? -1) + 1;
  if (status.attempt !== undefined && status.attempt.round >= round)
    round = status.attempt.epoch === epoch ? status.attempt.round : status.attempt.round + 1;
  while (await run.archive.isGivenUp(status.name, round)) round += 1;
  status.attempt = { round, epoch };
  await run.save();
  return { round, parent };
}

async function copyFrom(
  run: Run,
  volume: PlannedVolume,
  status: VolumeStatus,
  reader: RoundReader,
  number: { round: number; parent: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { round, parent } = number;
  const started = Date.now();
  status.state = 'CopyingOut';
  run.touch();
  const result = await runInPod(
    run.source,
    reader.pod,
    {
      op: 'copy-out',
      version: protocolVersion,
      archive: access(run),
      volume: status.name,
      round,
      ...(parent === undefined ? {} : { parent }),
      source: { mode: volume.source.mode, path: reader.pod.path },
      streams: run.migration.spec.transfer.streams,
      ...limit(run),
    },
    {
      location: run.location,
      signal,
      warm: takeWarm(run, reader.pod),
      onProgress: (progress) => show(run, status, 'read', progress, started),
    },
  );
  status.rounds.push({
    round,
    read: reader.kind,
    files: result.files,
    bytes: result.bytes,
    bytesChanged: result.bytesChanged,
    bytesStored: result.bytesTransferred,
    copyOutMs: Date.now() - started,
    manifestHash: result.manifestHash,
  });
  status.notes = result.notes.slice(0, 20);
  await run.save();
}

async function copyIn(run: Run, status: VolumeStatus, pod: MoverPod, signal: AbortSignal): Promise<void> {
  const last = status.rounds.at(-1);
  if (last === undefined) throw new TranshipError('Internal', `Volume ${status.name} has no round to write.`);
  const started = Date.now();
  const begun = [...status.begun];
  status.state = 'CopyingIn';
  status.begun = [...new Set([...begun, last.round])];
  await run.save();
  const result = await runInPod(
    run.target,
    pod,
    {
      op: 'copy-in',
      version: protocolVersion,
      archive: access(run),
      volume: status.name,
      round: last.round,
      ...(status.have === undefined ? {} : { have: status.have }),
      begun: begun.filter((round) => round !== last.round),
      // Nothing was begun on a claim that we made: its volume is new and empty.
      fresh: status.have === undefined && begun.length === 0,
      target: { mode: status.mode, path: pod.path },
      streams: run.migration.spec.transfer.streams,
      ...limit(run),
      verify: run.migration.spec.transfer.verify,
    },
    {
      location: run.location,
      signal,
      warm: takeWarm(run, pod),
      onProgress: (progress) => show(run, status, 'write', progress, started),
    },
  );
  last.copyInMs = Date.now() - started;
  last.bytesWritten = result.bytesChanged;
  last.bytesTargetRead = result.bytesTargetRead;
  if (result.manifestHash !== last.manifestHash) {
    throw new TranshipError('Integrity', `Volume ${status.name}: the target wrote another manifest than the source sent.`, {
      hint: 'Please report this; nothing was activated.',
    });
  }
  status.have = last.round;
  status.syncedAt = now();
  status.begun = [];
  status.state = 'Synced';
  delete status.progress;
  delete status.message;
  await run.save();
}

function limit(run: Run): { bytesPerSecondPerStream?: number } {
  const value = run.migration.spec.transfer.maxBytesPerSecondPerStream;
  return value === undefined ? {} : { bytesPerSecondPerStream: value };
}

function show(run: Run, status: VolumeStatus, side: 'read' | 'write', progress: Progress, started: number): void {
  const seconds = Math.max(0.001, (Date.now() - started) / 1000);
  status.progress = {
    phase: `${side}: ${progress.phase}`,
    bytesDone: progress.bytesDone,
    bytesTotal: progress.bytesTotal,
    filesDone: progress.filesDone,
    filesTotal: progress.filesTotal,
    growing: progress.growing,
    bytesPerSecond: Math.round(progress.bytesDone / seconds),
  };
  run.touch();
}
