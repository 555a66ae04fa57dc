import { exitCodeHelp } from '../exit-codes.ts';
import { addMigrationOptions, type MigrationOptions } from '../options/migration-options.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export interface MigrateOptions extends MigrationOptions, GlobalOptions {
  dryRun?: boolean;
  yes?: boolean;
  output: OutputFormat;
}

export const migrate: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('migrate')
      .summary('move an application with its data; ends when it runs on the target and its data was verified')
      .description(
        'Moves namespaces with everything in them: objects, volumes, and what they need outside of the namespace.\n' +
          'The volumes are copied while the application runs; then it is stopped on the source, what changed since is copied,\n' +
          'verified, and the application is started on the target. Until that moment Ctrl-C takes everything back. The source is\n' +
          'left in place, scaled to zero: "tranship rollback" starts it again.',
      );
    addOutputOption(addMigrationOptions(command))
      .option('--dry-run', 'show the plan and end, as "tranship plan"')
      .option('-y, --yes', 'do not ask')
      .addHelpText(
        'after',
        section(
          'Examples',
          'tranship migrate --from old --to new -n shop --location s3://moves/shop',
          'tranship migrate --from old --to new -n shop --map-namespace shop=store --map-storage-class fast=premium \\',
          '    --location s3://moves/shop --s3-endpoint http://minio.example:9000 --yes',
          'AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… tranship migrate … -o json > result.json',
        ) +
          section(
            'Good to know',
            'Killed at any moment, the same command goes on where it was; so does "tranship resume NAME".',
            'Ctrl-C cancels and undoes; a second Ctrl-C stops at once, and "tranship resume NAME" finishes the undoing.',
            'Results go to standard output, progress and questions to standard error.',
          ) +
          `\n\nExit status:\n${exitCodeHelp()}`,
      )
      .action(async (_options: unknown, self: typeof command) => {
        const { migrateMove } = await import('../migrate-move.ts');
        finish(await migrateMove(surroundings, self.optsWithGlobals<MigrateOptions>()));
      });
  },
};
