/** The stories of `restore-points delete` and `prune`: show what would go, ask, delete. */
import type { RetentionResult } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import type { Hub } from '../hub/index.ts';
import { eachArchive } from './archives.ts';
import { exitCodes } from './exit-codes.ts';
import { ask } from './migrate-move.ts';
import { deletionLines, progressLine } from './render/restore-points.ts';
import { notFound, printAs, reportClosed } from './show-restore-points.ts';
import { endingOf } from './stored.ts';
import type { Surroundings } from './surroundings.ts';
import type { DeleteOptions } from './verbs/restore-points.ts';
import { withHub } from './with-hub.ts';

export async function deleteRestorePoints(surroundings: Surroundings, names: readonly string[], options: DeleteOptions): Promise<number> {
  return await remove(surroundings, [...new Set(names)], options, 'delete');
}

export async function pruneArchives(surroundings: Surroundings, options: DeleteOptions): Promise<number> {
  return await remove(surroundings, [], options, 'prune');
}

async function remove(
  surroundings: Surroundings,
  names: readonly string[],
  options: DeleteOptions,
  verb: 'delete' | 'prune',
): Promise<number> {
  const { stderr } = surroundings;
  if (options.dryRun !== true && options.yes !== true && !surroundings.interactive) {
    throw new TranshipError('InvalidInput', `restore-points ${verb} asks before it begins, and there is no terminal to ask on.`, {
      hint: 'Add --yes to agree beforehand, or --dry-run to see what would be freed.',
    });
  }
  return await withHub(surroundings, options, async (hub) => {
    await demandAll(surroundings, hub, names, options);
    if (options.dryRun === true) return present(surroundings, await sweep(surroundings, hub, names, options), options);
    if (options.yes !== true) {
      const look = await sweep(surroundings, hub, names, { ...options, dryRun: true });
      const nothing = look.results.every((result) => result.objects === 0 && result.points.length === 0);
      if (nothing) return present(surroundings, look, options);
      for (const line of deletionLines(look.results, true)) stderr.write(`${line}\n`);
      if (!(await ask(surroundings, 'Delete this for good? [y/N] '))) {
        stderr.write('Nothing was changed.\n');
        return exitCodes.ok;
      }
    }
    return present(surroundings, await sweep(surroundings, hub, names, options), options);
  });
}

/**
 * Before anything is deleted: every name is there, and no migration needs it.
 * @throws NotFound, Conflict; and when an archive cannot be read that may hold a missing name, why
 */
async function demandAll(surroundings: Surroundings, hub: Hub, names: readonly string[], options: DeleteOptions): Promise<void> {
  if (names.length === 0) return;
  await interruptible(surroundings, async (signal) => {
    const found = new Set<string>();
    const known: string[] = [];
    let needed: TranshipError | undefined;
    const closed = await eachArchive({ hub, env: surroundings.env, only: options.migration, signal }, async ({ migration, retention }) => {
      for (const { name } of await retention.names()) {
        known.push(name);
        if (!names.includes(name)) continue;
        found.add(name);
        if (endingOf(migration).finished || migration.status?.restorePoint !== name) continue;
        const move = migration.metadata.name;
        needed = new TranshipError(
          'Conflict',
          `The restore point "${name}" is the one that the migration "${move}" is moving, and it has not ended.`,
          { hint: `"tranship resume ${move}" finishes it, "tranship cancel ${move}" undoes it.` },
        );
      }
    });
    if (needed !== undefined) throw needed;
    const missing = names.find((name) => !found.has(name));
    if (missing !== undefined) throw closed[0]?.error ?? notFound(missing, known);
  });
}

interface Swept {
  results: RetentionResult[];
  code: number;
}

/** One run over each archive: of those that hold one of the names, or with no names of all. */
async function sweep(surroundings: Surroundings, hub: Hub, names: readonly string[], options: DeleteOptions): Promise<Swept> {
  return await interruptible(surroundings, async (signal) => {
    const results: RetentionResult[] = [];
    const closed = await eachArchive({ hub, env: surroundings.env, only: options.migration, signal }, async ({ retention, manners }) => {
      const mine = names.length === 0 ? [] : (await retention.names()).map(({ name }) => name).filter((name) => names.includes(name));
      if (names.length > 0 && mine.length === 0) return;
      results.push(
        await retention.run({
          points: mine,
          ...manners(options.safeAge),
          dryRun: options.dryRun === true,
          onProgress: (progress) => {
            if (progress.phase === 'delete') surroundings.stderr.write(`${progressLine(progress)}\n`);
          },
          signal,
        }),
      );
    });
    return { results, code: reportClosed(surroundings, closed) };
  });
}

/** Ctrl-C ends it between two requests to the store. */
async function interruptible<Result>(surroundings: Surroundings, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const stop = new AbortController();
  const quiet = surroundings.onSignal(() => stop.abort());
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new TranshipError('Canceled', 'Stopped.', {
      hint: 'Restore points that stay are untouched. "tranship restore-points prune" finishes what was begun.',
      cause: error,
    });
  } finally {
    quiet();
  }
}

function present(surroundings: Surroundings, { results, code }: Swept, options: DeleteOptions): number {
  const dryRun = options.dryRun === true;
  if (options.output === 'table') for (const line of deletionLines(results, dryRun)) surroundings.stdout.write(`${line}\n`);
  else {
    const all = <Key extends 'points' | 'inUse' | 'refused' | 'damaged'>(key: Key): RetentionResult[Key][number][] =>
      results.flatMap((result) => result[key] as RetentionResult[Key][number][]);
    const sentence = <One extends { error: TranshipError }>({ error, ...rest }: One) => ({
      ...rest,
      code: error.code,
      message: error.message,
    });
    printAs(surroundings, options.output, {
      dryRun,
      bytes: results.reduce((sum, result) => sum + result.bytes, 0),
      objects: results.reduce((sum, result) => sum + result.objects, 0),
      restorePoints: all('points'),
      inUse: all('inUse'),
      refused: all('refused').map(sentence),
      damaged: all('damaged').map(sentence),
    });
  }
  if (code !== exitCodes.ok) return code;
  const left = results.some(
    (result) => result.refused.length > 0 || result.damaged.length > 0 || result.points.some((point) => !point.finished),
  );
  return left && !dryRun ? exitCodes.incomplete : exitCodes.ok;
}
