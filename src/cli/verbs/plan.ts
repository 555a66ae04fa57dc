import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { addMigrationOptions, type MigrationOptions } from '../options/migration-options.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
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
      .addHelpText(
        'after',
        section(
          'Examples',
          'tranship plan --from old --to new -n shop --location s3://moves/shop',
          'tranship plan --from old --to new -n shop --map-namespace shop=store --map-storage-class fast=premium \\',
          '    --location dir:/var/tmp/moves -o json | jq .findings',
        ) +
          `\n\nExit status:\n${exitCodeHelp([exitCodes.ok, exitCodes.invalid, exitCodes.blocked, exitCodes.unavailable, exitCodes.forbidden])}`,
      )
      .action(async (_options: unknown, self: typeof command) => {
        const options = self.optsWithGlobals<MigrationOptions & GlobalOptions & { output: OutputFormat }>();
        const { makePlan } = await import('../plan-move.ts');
        const { objectsOf } = await import('../objects.ts');
        finish(await makePlan(surroundings, objectsOf(options, surroundings.env), options));
      });
  },
};
