import { Option } from 'commander';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { addMigrationOptions, type MigrationOptions } from '../options/migration-options.ts';
import { addOutputOption, type GraphFormat, type OutputFormat } from '../options/output.ts';
import { oneOf } from '../options/values.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export const plan: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('plan')
      .summary('show what a move would do, and what stands against it; changes nothing')
      .description(
        'Reads both clusters and the store, and shows every object that would be written, every volume that would be copied,\n' +
          'what would stay behind and why, and what you should know before. Nothing is changed on either cluster.',
      );
    addOutputOption(addMigrationOptions(command))
      .addOption(
        new Option('--graph <format>', 'show the objects and what they have to do with each other instead: text, json or dot').argParser(
          oneOf('text', 'json', 'dot'),
        ),
      )
      .addHelpText(
        'after',
        section(
          'Examples',
          'tranship plan --from old --to new -n shop --location s3://moves/shop',
          'tranship plan --from old --to new -n shop --map-namespace shop=store --map-storage-class fast=premium \\',
          '    --location dir:/var/tmp/moves -o json | jq .findings',
          'tranship plan --from old --to new -n shop --location s3://moves/shop --graph dot | dot -Tsvg > shop.svg',
        ) +
          `\n\nExit status:\n${exitCodeHelp([exitCodes.ok, exitCodes.invalid, exitCodes.blocked, exitCodes.unavailable, exitCodes.forbidden])}`,
      )
      .action(async (_options: unknown, self: typeof command) => {
        const options = self.optsWithGlobals<MigrationOptions & GlobalOptions & { output: OutputFormat; graph?: GraphFormat }>();
        const { makePlan } = await import('../plan-move.ts');
        const { objectsOf } = await import('../objects.ts');
        const { readInputFiles } = await import('../input-files.ts');
        finish(await makePlan(surroundings, objectsOf(options, surroundings.env, await readInputFiles(options)), options));
      });
  },
};
