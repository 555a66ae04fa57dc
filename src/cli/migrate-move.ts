/** The story of `tranship migrate`: go on with what was begun under this name, or plan, ask, write the objects, and run. */
import { hubNamespace } from '../api/meta.ts';
import { migrationSchema, type Migration } from '../api/migration.ts';
import { TranshipError } from '../errors.ts';
import type { Hub } from '../hub/index.ts';
import { drive } from './drive.ts';
import { exitCodeOfMigration, exitCodes } from './exit-codes.ts';
import { readInputFiles } from './input-files.ts';
import { objectsOf, type MigrationObjects } from './objects.ts';
import { makePlan, planMove, printJson } from './plan-move.ts';
import { summaryLines } from './render/migration.ts';
import { differences, endingOf, findMigration, isUntouched, leadsElsewhere, store, storeReach } from './stored.ts';
import type { Surroundings } from './surroundings.ts';
import type { MigrateOptions } from './verbs/migrate.ts';
import { withHub } from './with-hub.ts';

export async function migrateMove(surroundings: Surroundings, options: MigrateOptions): Promise<number> {
  const objects = objectsOf(options, surroundings.env, await readInputFiles(options));
  if (options.dryRun === true) return await makePlan(surroundings, objects, options);
  const name = objects.migration.metadata.name;
  return await withHub(surroundings, options, async (hub, hubFile) => {
    const before = await findMigration(hub, name);
    const say = (line: string) => surroundings.stderr.write(`${line}\n`);
    if (before !== undefined && (await goesOn(hub, before, objects))) {
      const { finished, reason } = endingOf(before);
      if (finished) {
        say(`The migration "${name}" ended before (${reason}). Another --name begins a new one.`);
        return present(surroundings, before, options.output);
      }
      say(`Going on with the migration "${name}".`);
      // Credentials and paths may be others today; what is moved, and how, is the same.
      await storeReach(hub, objects);
    } else {
      demandConsent(surroundings, options);
      const { lines, blocked } = await planMove(surroundings, objects, options.verbose === true);
      for (const line of lines) say(line);
      if (blocked) return exitCodes.blocked;
      if (options.yes !== true && !(await agreed(surroundings, objects))) {
        say('Nothing was changed.');
        return exitCodes.ok;
      }
      if (before !== undefined) await forget(hub, before);
      await store(hub, objects);
      say('');
    }
    const migration = await drive(surroundings, { hub, hubFile, name, verbose: options.verbose === true });
    return present(surroundings, migration, options.output);
  });
}

/** Prints a migration that came to its end as the result of a verb. */
export function present(surroundings: Surroundings, migration: Migration, output: 'text' | 'json'): number {
  if (output === 'json') printJson(surroundings.stdout, migration);
  else for (const line of summaryLines(migration)) surroundings.stdout.write(`${line}\n`);
  return exitCodeOfMigration(migration);
}

/**
 * True when the stored migration is the one that the flags describe. One that touched nothing yet is replaced by what the flags say now.
 * @throws Conflict when it has begun with other settings
 */
async function goesOn(hub: Hub, before: Migration, objects: MigrationObjects): Promise<boolean> {
  const wanted = migrationSchema.parse(objects.migration);
  const changed = differences(before.spec, wanted.spec);
  if (await leadsElsewhere(hub, objects.location)) changed.push('the location');
  if (changed.length === 0) return true;
  if (isUntouched(before)) return false;
  throw new TranshipError('Conflict', `The migration "${before.metadata.name}" was begun with other settings: ${changed.join(', ')}.`, {
    hint: `"tranship resume ${before.metadata.name}" goes on with the old ones; another --name begins a new migration.`,
  });
}

/** Without a terminal nobody can be asked, and a move must not begin by accident. */
function demandConsent(surroundings: Surroundings, options: MigrateOptions): void {
  if (options.yes === true || surroundings.interactive) return;
  throw new TranshipError('InvalidInput', 'migrate asks before it begins, and there is no terminal to ask on.', {
    hint: 'Add --yes to agree beforehand, or --dry-run to see the plan.',
  });
}

async function agreed(surroundings: Surroundings, objects: MigrationObjects): Promise<boolean> {
  const { spec } = migrationSchema.parse(objects.migration);
  const question = `\nMove ${spec.namespaces.join(', ')} now? The application is stopped on the source for the last copy. [y/N] `;
  return await ask(surroundings, question);
}

/** A question for yes or no; anything but yes is no, Ctrl-C too. */
export async function ask(surroundings: Surroundings, question: string): Promise<boolean> {
  const stop = new AbortController();
  const quiet = surroundings.onSignal(() => stop.abort());
  try {
    return /^\s*y(es)?\s*$/i.test(await surroundings.ask(question, stop.signal));
  } finally {
    quiet();
  }
}

async function forget(hub: Hub, before: Migration): Promise<void> {
  await hub.delete('Migration', hubNamespace, before.metadata.name);
  // The key belongs to an archive in a location, which may be another one now. Nothing was copied yet.
  await hub.delete('Secret', hubNamespace, `${before.metadata.name}-archive-key`);
}
