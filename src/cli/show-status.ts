/** The story of `tranship status`. */
import { TranshipError } from '../errors.ts';
import { watchUntilEnd } from './drive.ts';
import { exitCodes } from './exit-codes.ts';
import { progressView } from './live/progress.ts';
import { present } from './migrate-move.ts';
import { printJson } from './plan-move.ts';
import { listLines, migrationLines } from './render/migration.ts';
import { contextNames, getMigration, listMigrations } from './stored.ts';
import type { Surroundings } from './surroundings.ts';
import type { StatusOptions } from './verbs/status.ts';
import { withHub } from './with-hub.ts';

export async function showStatus(surroundings: Surroundings, name: string | undefined, options: StatusOptions): Promise<number> {
  if (name === undefined && options.watch === true) {
    throw new TranshipError('InvalidInput', '--watch needs the name of one migration.', { hint: 'tranship status lists them.' });
  }
  const { stdout } = surroundings;
  return await withHub(surroundings, options, async (hub) => {
    if (name === undefined) {
      const all = await listMigrations(hub);
      if (options.output === 'json') printJson(stdout, all);
      else for (const line of listLines(all, await contextNames(hub), new Date())) stdout.write(`${line}\n`);
      return exitCodes.ok;
    }
    if (options.watch !== true) {
      const migration = await getMigration(hub, name);
      if (options.output === 'json') printJson(stdout, migration);
      else for (const line of migrationLines(migration, await contextNames(hub), new Date())) stdout.write(`${line}\n`);
      return exitCodes.ok;
    }
    const stop = new AbortController();
    const quiet = surroundings.onSignal(() => stop.abort());
    const view = progressView(surroundings.stderr);
    try {
      view.show(await getMigration(hub, name));
      const ended = await watchUntilEnd(hub, name, (migration) => view.show(migration), stop.signal);
      view.close();
      return ended === undefined ? exitCodes.interrupted : present(surroundings, ended, options.output);
    } finally {
      view.close();
      quiet();
    }
  });
}
