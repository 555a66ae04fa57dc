/** Restore points and deletions as people read them. */
import type { RetentionProgress, RetentionResult } from '../../archive/index.ts';
import { bytesText, count } from '../../quantity-text.ts';
import type { ListedPoint, Reclaimable } from '../show-restore-points.ts';
import { table } from './table.ts';

export function listedLines(points: readonly ListedPoint[], reclaimable: readonly Reclaimable[]): string[] {
  const lines =
    points.length === 0
      ? ['There are no restore points.']
      : table(
          ['NAME', 'CREATED', 'CLUSTER', 'NAMESPACES', 'VOLUMES', 'HOLDS', 'FREES', 'STATE'],
          points.map((point) => [
            point.name,
            point.createdAt,
            point.cluster,
            point.namespaces.join(','),
            String(point.volumes.length),
            bytesText(point.bytes),
            bytesText(point.uniqueBytes),
            point.state,
          ]),
        );
  if (points.length > 0) lines.push('', 'HOLDS: what its restore reads. FREES: what deleting it alone frees; the rest is shared.');
  for (const { migration, bytes } of reclaimable)
    lines.push(
      `${bytesText(bytes)} in the archive of ${migration} belong to no restore point: "tranship restore-points prune" frees them.`,
    );
  if (points.some(({ state }) => state === 'Deleting'))
    lines.push('Deleting: a deletion was interrupted or refused; "tranship restore-points prune" goes on with it.');
  return lines;
}

export function shownLines(point: ListedPoint): string[] {
  return [
    `${point.name}: ${point.state}`,
    `  created      ${point.createdAt}`,
    `  cluster      ${point.cluster}`,
    `  namespaces   ${point.namespaces.join(', ')}`,
    `  objects      ${point.objects.toLocaleString('en-US')}`,
    `  made by      ${point.migration}`,
    `  location     ${point.location}`,
    `  holds        ${bytesText(point.bytes)}`,
    `  frees        ${bytesText(point.uniqueBytes)}, when it alone is deleted`,
    ...(point.volumes.length === 0
      ? []
      : [
          '',
          ...table(
            ['VOLUME', 'ROUND', 'CAPACITY', 'STORED'],
            point.volumes.map((volume) => [volume.volume, String(volume.round), bytesText(volume.capacityBytes), bytesText(volume.bytes)]),
          ).map((line) => `  ${line}`),
        ]),
  ];
}

const shown = 10;

/** @param results one per archive */
export function deletionLines(results: readonly RetentionResult[], dryRun: boolean): string[] {
  const points = results.flatMap((result) => result.points);
  const rows = points.map((point) => [
    point.name,
    ...(dryRun ? [bytesText(point.bytes ?? 0)] : []),
    point.finished ? (dryRun ? 'would be deleted' : 'deleted') : 'not finished',
  ]);
  const lines = rows.length === 0 ? [] : table(['NAME', ...(dryRun ? ['FREES ALONE'] : []), 'STATE'], rows);
  const bytes = results.reduce((sum, result) => sum + result.bytes, 0);
  const objects = results.reduce((sum, result) => sum + result.objects, 0);
  lines.push(`${bytesText(bytes)} in ${count(objects, 'object')} ${dryRun ? 'would be freed' : 'freed'}.`);
  const inUse = results.flatMap((result) => result.inUse);
  for (const { volume, round, by } of inUse.slice(0, shown)) lines.push(`Kept: round ${round} of ${volume} is used by ${by}.`);
  if (inUse.length > 0)
    lines.push('"tranship restore-points prune" frees it when that has ended, or was not heard of for the time of --safe-age.');
  const refused = results.flatMap((result) => result.refused);
  if (refused.length > 0) {
    lines.push(`The store refused to delete ${count(refused.length, 'object')}:`);
    for (const { object, error } of refused.slice(0, shown)) lines.push(`  ${object}: ${error.message}`);
    lines.push(
      'The credentials need the right to delete (s3:DeleteObject); what is under a lock or legal hold goes when that has ended.',
      '"tranship restore-points prune" tries again.',
    );
  }
  for (const { volume, error } of results.flatMap((result) => result.damaged)) {
    lines.push(
      `Nothing of ${volume} was deleted, because a round that stays cannot be read: ${error.message}`,
      'Delete the restore points of that round too ("Damaged" in the list), and its rest is freed.',
    );
  }
  return lines;
}

export function progressLine({ objects, ofObjects, bytes, ofBytes }: RetentionProgress): string {
  return `  deleted ${objects.toLocaleString('en-US')} of ${count(ofObjects, 'object')}, ${bytesText(bytes)} of ${bytesText(ofBytes)}`;
}
