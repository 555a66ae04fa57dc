/**
 * One volume's progress as a line. A percentage never goes backwards, is never 100 before the phase is done, and is not shown while
 * the total still grows: a number that users watch must not lie.
 */
import type { VolumeStatus } from '../../api/migration.ts';
import { bytesText, count, durationText } from '../../quantity-text.ts';

const words: Readonly<Record<VolumeStatus['state'], string>> = {
  Pending: 'waiting',
  Snapshotting: 'taking a snapshot',
  Exposing: 'exposing the snapshot',
  CopyingOut: 'copying out',
  CopyingIn: 'copying in',
  Synced: 'copied',
  Verified: 'verified',
  Bound: 'bound',
  Failed: 'failed',
};

/** Remembers the highest percentage per volume, round and phase. */
export class PercentMemory {
  readonly #seen = new Map<string, number>();

  /** 0 to 99, or undefined when no percentage can be given. */
  percent(volume: VolumeStatus): number | undefined {
    const { progress } = volume;
    if (progress === undefined || progress.growing || progress.bytesTotal <= 0) return undefined;
    const key = `${volume.name} ${volume.rounds.length} ${volume.state} ${progress.phase}`;
    const now = Math.min(99, Math.max(0, Math.floor((progress.bytesDone / progress.bytesTotal) * 100)));
    const best = Math.max(now, this.#seen.get(key) ?? 0);
    this.#seen.set(key, best);
    return best;
  }
}

/** @returns undefined for a volume that has nothing to say */
export function volumeLine(volume: VolumeStatus, memory: PercentMemory): string | undefined {
  if (volume.state === 'Pending') return undefined;
  const parts = [volume.name, words[volume.state]];
  const moving = volume.state === 'CopyingOut' || volume.state === 'CopyingIn';
  const { progress } = volume;
  if (moving && progress !== undefined) {
    // Copying is what the state says already; scanning, syncing and reading back are worth a word.
    const phase = progress.phase.split(': ').at(-1) ?? '';
    if (phase !== 'copy' && phase !== '') parts.push(`(${phase})`);
    const percent = memory.percent(volume);
    if (percent !== undefined) parts.push(`${percent} %`);
    parts.push(
      progress.bytesTotal > 0 && !progress.growing
        ? `${bytesText(progress.bytesDone)} of ${bytesText(Math.max(progress.bytesTotal, progress.bytesDone))}`
        : `${bytesText(progress.bytesDone)}, ${count(progress.filesDone, 'file')} so far`,
    );
    if (progress.bytesPerSecond > 0) parts.push(`${bytesText(progress.bytesPerSecond)}/s`);
    const left = secondsLeft(progress);
    if (left !== undefined) parts.push(`about ${durationText(left)} left`);
  }
  if (volume.message !== undefined && !moving) parts.push(volume.message);
  return parts.join('  ');
}

/** Estimated seconds to the end of this phase. */
export function secondsLeft(progress: NonNullable<VolumeStatus['progress']>): number | undefined {
  const rest = progress.bytesTotal - progress.bytesDone;
  if (progress.growing || progress.bytesPerSecond <= 0 || rest <= 0) return undefined;
  return Math.max(1, Math.round(rest / progress.bytesPerSecond));
}
