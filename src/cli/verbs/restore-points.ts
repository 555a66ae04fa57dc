import { Option, type Command } from 'commander';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { oneOf, seconds } from '../options/values.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export type ListFormat = 'table' | 'json' | 'yaml';

export interface RestorePointOptions extends GlobalOptions {
  output: ListFormat;
  migration?: string;
}

export interface DeleteOptions extends RestorePointOptions {
  dryRun?: boolean;
  yes?: boolean;
  /** Seconds. */
  safeAge: number;
}

const reading = [exitCodes.ok, exitCodes.invalid, exitCodes.unavailable, exitCodes.forbidden];
const deleting = [...reading.slice(0, 2), exitCodes.incomplete, exitCodes.conflict, ...reading.slice(2), exitCodes.interrupted];

/** A group of verbs: what lies in the archives that the migrations of this hub have made. */
export const restorePoints: Verb = {
  define(program, surroundings, finish) {
    const group = program
      .command('restore-points')
      .summary('list, show and delete what lies in the archives')
      .description(
        'Restore points are what migrations leave in their location: one application at one time, objects and volumes.\n' +
          'They share data: deleting one frees what no other one uses.',
      );
    const list = group
      .command('list')
      .summary('list the restore points with their sizes')
      .description(
        'Lists the restore points of all migrations of this hub: how much each one holds, and how much deleting it alone frees.',
      );
    shared(list)
      .addHelpText(
        'after',
        section('Examples', 'tranship restore-points list', 'tranship restore-points list -o json | jq .restorePoints[].name') +
          `\n\nExit status:\n${exitCodeHelp(reading)}`,
      )
      .action(async (_options: unknown, self: Command) => {
        const { listRestorePoints } = await import('../show-restore-points.ts');
        finish(await listRestorePoints(surroundings, self.optsWithGlobals<RestorePointOptions>()));
      });

    const show = group
      .command('show')
      .summary('show one restore point with its volumes')
      .description('Shows where a restore point came from, its volumes and their sizes.')
      .argument('<name>', 'name of the restore point');
    shared(show)
      .addHelpText(
        'after',
        section('Example', 'tranship restore-points show shop-to-new-20261121153056') + `\n\nExit status:\n${exitCodeHelp(reading)}`,
      )
      .action(async (name: string, _options: unknown, self: Command) => {
        const { showRestorePoint } = await import('../show-restore-points.ts');
        finish(await showRestorePoint(surroundings, name, self.optsWithGlobals<RestorePointOptions>()));
      });

    const remove = group
      .command('delete')
      .summary('delete restore points and free what nobody else uses')
      .description(
        'Deletes restore points, with the data that no other one and no running copy uses. Safe while others write.\n' +
          'Interrupted at any moment, the next delete or prune finishes it. Restore points that stay are not touched.',
      )
      .argument('<name...>', 'names of restore points');
    removing(remove)
      .addHelpText(
        'after',
        section(
          'Examples',
          'tranship restore-points delete shop-to-new-20261121153056 --dry-run   # what it would free',
          'tranship restore-points delete shop-to-new-20261121153056',
        ) + `\n\nExit status:\n${exitCodeHelp(deleting)}`,
      )
      .action(async (names: string[], _options: unknown, self: Command) => {
        const { deleteRestorePoints } = await import('../delete-restore-points.ts');
        finish(await deleteRestorePoints(surroundings, names, self.optsWithGlobals<DeleteOptions>()));
      });

    const prune = group
      .command('prune')
      .summary('finish interrupted deletions, and remove what was begun and never completed')
      .description(
        'Removes what no restore point needs: the rest of interrupted deletions, data of earlier rounds that later ones do not\n' +
          'use, and copies that were begun and never completed. No restore point is deleted, and of a migration that has not\n' +
          'ended nothing that it may still need.',
      );
    removing(prune)
      .addHelpText('after', section('Example', 'tranship restore-points prune --dry-run') + `\n\nExit status:\n${exitCodeHelp(deleting)}`)
      .action(async (_options: unknown, self: Command) => {
        const { pruneArchives } = await import('../delete-restore-points.ts');
        finish(await pruneArchives(surroundings, self.optsWithGlobals<DeleteOptions>()));
      });
  },
};

function shared(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'table, json or yaml').argParser(oneOf('table', 'json', 'yaml')).default('table'))
    .option('--migration <name>', 'only the archive of this migration');
}

function removing(command: Command): Command {
  return shared(command)
    .option('--dry-run', 'show what would be freed, and end; nothing is written')
    .option('-y, --yes', 'do not ask')
    .addOption(
      new Option(
        '--safe-age <time>',
        'copies that did not end count as abandoned when nothing was written for this long, by the clock of the store',
      )
        .argParser(seconds)
        .default(86_400, '24h'),
    );
}
