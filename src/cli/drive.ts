/**
 * Runs a stored migration in this process and shows it, or watches the process that already does. Ctrl-C asks the engine to cancel, which
 * starts the application on the source again; a second Ctrl-C, or a SIGTERM, ends at once and leaves the rest for `tranship resume`.
 */
import { isDeepStrictEqual } from 'node:util';
import { hubNamespace } from '../api/meta.ts';
import { migrationSchema, type Migration } from '../api/migration.ts';
import { TranshipError } from '../errors.ts';
import type { Hub } from '../hub/index.ts';
import { journalPath } from './hub-file.ts';
import { openJournal } from './journal.ts';
import { progressView, type ProgressView } from './live/progress.ts';
import { reachByHub } from './reach.ts';
import { changeSpec, endingOf, getMigration } from './stored.ts';
import type { Surroundings } from './surroundings.ts';

export interface DriveOptions {
  hub: Hub;
  hubFile: string;
  name: string;
  verbose: boolean;
}

/** @throws what the engine throws; Canceled after the second Ctrl-C or a SIGTERM */
export async function drive(surroundings: Surroundings, options: DriveOptions): Promise<Migration> {
  const { hub, name } = options;
  const view = progressView(surroundings.stderr);
  const stop = new AbortController();
  /** Ours from the first status that the engine here has written. */
  let runsHere = false;
  let waits = false;
  let cancelling = false;
  let activated = false;
  const cancel = () => {
    cancelling = true;
    if (activated) {
      view.print(
        `The application was started on the target already: nothing is undone any more. Ctrl-C again stops this command; then "tranship resume ${name}" finishes, "tranship rollback ${name}" goes back.`,
      );
      return;
    }
    view.print(
      'Cancelling: what was begun is undone, and the application runs on the source. Ctrl-C again stops at once, in the middle of that.',
    );
    changeSpec(hub, name, (spec) => {
      spec.cancel = true;
    }).catch((error: unknown) => {
      view.print(`The wish to cancel could not be written: ${String(error)}`);
      stop.abort();
    });
  };
  const quiet = surroundings.onSignal((signal) => {
    if (signal === 'SIGINT' && runsHere && !cancelling) cancel();
    else stop.abort();
  });
  try {
    const { reconcileMigration } = await surroundings.engine();
    const first = await getMigration(hub, name);
    view.known(first);
    const here = reconcileMigration({
      hub,
      name,
      journal: openJournal(journalPath(options.hubFile, name)),
      ...reachByHub(hub, surroundings.env),
      signal: stop.signal,
      onWait: () => {
        waits = true;
        view.print(`Another process runs "${name}"; this one watches it. Ctrl-C only ends the watching.`);
      },
      onStatus: (migration) => {
        runsHere = true;
        activated = migration.status?.targetState !== undefined;
        view.show(migration);
      },
      onEvent: (event) => {
        runsHere = true;
        if (event.level !== 'info' || options.verbose) view.print(`  ${event.level}: ${event.message}`);
      },
    });
    const elsewhere = await watchOther(hub, first, view, {
      runsHere: () => runsHere,
      waits: () => waits,
      until: here,
      signal: stop.signal,
    });
    if (elsewhere === undefined) {
      const ended = await here;
      view.show(ended);
      return ended;
    }
    stop.abort();
    await here.catch(() => {});
    return elsewhere;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const rest = cancelling ? 'finishes the undoing' : 'goes on from here';
    throw new TranshipError('Canceled', 'Stopped at once.', { hint: `"tranship resume ${name}" ${rest}.`, cause: error });
  } finally {
    stop.abort();
    quiet();
    view.close();
  }
}

/**
 * Shows the migration while another process holds its lease. Returns it when it ended over there, undefined when the run here is the
 * one that counts.
 */
async function watchOther(
  hub: Hub,
  first: Migration,
  view: ProgressView,
  options: { runsHere: () => boolean; waits: () => boolean; until: Promise<unknown>; signal: AbortSignal },
): Promise<Migration | undefined> {
  const done = new AbortController();
  const end = () => done.abort();
  options.until.then(end, end);
  const { name } = first.metadata;
  const signal = AbortSignal.any([options.signal, done.signal]);
  for await (const migration of changes(hub, name, signal)) {
    if (options.runsHere()) return undefined;
    if (!options.waits() || isDeepStrictEqual(migration.status, first.status)) continue;
    view.show(migration);
    if (isOver(migration)) return migration;
  }
  return undefined;
}

/** The migration once it has ended; undefined when the signal aborts before. */
export async function watchUntilEnd(
  hub: Hub,
  name: string,
  onChange: (migration: Migration) => void,
  signal: AbortSignal,
): Promise<Migration | undefined> {
  for await (const migration of changes(hub, name, signal)) {
    onChange(migration);
    if (isOver(migration)) return migration;
  }
  return undefined;
}

/** The migration as it is, then every change of it, until the signal aborts. */
async function* changes(hub: Hub, name: string, signal: AbortSignal): AsyncGenerator<Migration> {
  const done = new AbortController();
  try {
    for await (const event of hub.watch('Migration', AbortSignal.any([signal, done.signal]))) {
      const { namespace, name: changed } = event.object.metadata;
      if (namespace !== hubNamespace || changed !== name) continue;
      if (event.type === 'DELETED') throw new TranshipError('NotFound', `The migration "${name}" was deleted.`);
      yield migrationSchema.parse(event.object);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    done.abort();
  }
}

/** Ended well or badly, and no wish is waiting to be carried out. */
function isOver(migration: Migration): boolean {
  const { finished, reason } = endingOf(migration);
  if (migration.spec.rollback && reason !== 'RolledBack') return reason === 'RollbackFailed';
  return finished || migration.status?.conditions.find((condition) => condition.type === 'Succeeded')?.status === 'False';
}
