/** The stories of `restore-points list` and `show`. */
import { stringify } from 'yaml';
import type { RestorePointUsage } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import { eachArchive, type ClosedArchive } from './archives.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { printJson } from './plan-move.ts';
import { errorLines } from './render/error.ts';
import { listedLines, shownLines } from './render/restore-points.ts';
import type { Surroundings } from './surroundings.ts';
import type { ListFormat, RestorePointOptions } from './verbs/restore-points.ts';
import { withHub } from './with-hub.ts';

/** A restore point and where it lies. */
export interface ListedPoint extends RestorePointUsage {
  migration: string;
  location: string;
}

export interface Reclaimable {
  migration: string;
  location: string;
  bytes: number;
}

export async function listRestorePoints(surroundings: Surroundings, options: RestorePointOptions): Promise<number> {
  const { restorePoints, reclaimable, closed } = await read(surroundings, options);
  const unreadable = closed.map(({ migration, error }) => ({ migration, code: error.code, message: error.message }));
  if (options.output === 'table') for (const line of listedLines(restorePoints, reclaimable)) surroundings.stdout.write(`${line}\n`);
  else printAs(surroundings, options.output, { restorePoints, reclaimable, unreadable });
  return reportClosed(surroundings, closed);
}

export async function showRestorePoint(surroundings: Surroundings, name: string, options: RestorePointOptions): Promise<number> {
  const { restorePoints, closed } = await read(surroundings, options);
  const found = restorePoints.find((point) => point.name === name);
  if (found === undefined) {
    const code = reportClosed(surroundings, closed);
    if (code !== exitCodes.ok) return code;
    throw notFound(
      name,
      restorePoints.map((point) => point.name),
    );
  }
  if (options.output === 'table') for (const line of shownLines(found)) surroundings.stdout.write(`${line}\n`);
  else printAs(surroundings, options.output, found);
  return exitCodes.ok;
}

export function notFound(name: string, known: readonly string[]): TranshipError {
  return new TranshipError('NotFound', `There is no restore point named "${name}".`, {
    hint: known.length === 0 ? 'The migrations of this hub have made none.' : `Known: ${known.join(', ')}.`,
  });
}

/** Says which archives could not be read; the exit code is that of the first. */
export function reportClosed(surroundings: Surroundings, closed: readonly ClosedArchive[]): number {
  for (const { migration, error } of closed) {
    const [first = '', ...rest] = errorLines(error, false);
    surroundings.stderr.write(`${[`${first} (archive of "${migration}")`, ...rest].join('\n')}\n`);
  }
  return closed[0] === undefined ? exitCodes.ok : exitCodeOfError(closed[0].error);
}

export function printAs(surroundings: Surroundings, format: Exclude<ListFormat, 'table'>, value: unknown): void {
  if (format === 'json') printJson(surroundings.stdout, value);
  else surroundings.stdout.write(stringify(value));
}

async function read(
  surroundings: Surroundings,
  options: RestorePointOptions,
): Promise<{ restorePoints: ListedPoint[]; reclaimable: Reclaimable[]; closed: ClosedArchive[] }> {
  const stop = new AbortController();
  const quiet = surroundings.onSignal(() => stop.abort());
  const restorePoints: ListedPoint[] = [];
  const reclaimable: Reclaimable[] = [];
  try {
    return await withHub(surroundings, options, async (hub) => {
      const closed = await eachArchive(
        { hub, env: surroundings.env, only: options.migration, signal: stop.signal },
        async ({ migration, location, retention, manners }) => {
          const where = { migration: migration.metadata.name, location };
          const { points, reclaimableBytes } = await retention.list({ ...manners(86_400), signal: stop.signal });
          restorePoints.push(...points.map((point) => ({ ...point, ...where })));
          if (reclaimableBytes > 0) reclaimable.push({ ...where, bytes: reclaimableBytes });
        },
      );
      return { restorePoints, reclaimable, closed };
    });
  } finally {
    quiet();
  }
}
