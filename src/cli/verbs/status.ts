import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export interface StatusOptions extends GlobalOptions {
  output: OutputFormat;
  watch?: boolean;
}

export const status: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('status')
      .summary('show one migration, or list all')
      .description('Shows where a migration is: its steps, volumes, objects and findings. Without a name: all migrations of this hub.')
      .argument('[name]', 'name of the migration');
    addOutputOption(command)
      .option('-w, --watch', 'go on showing changes until the migration has ended')
      .addHelpText(
        'after',
        section(
          'Examples',
          'tranship status',
          'tranship status shop-to-new --watch',
          'tranship status shop-to-new -o json | jq .status.volumes',
        ) +
          `\n\nExit status:\n${exitCodeHelp([exitCodes.ok, exitCodes.invalid])}\n  With --watch: that of the migration, as for "tranship migrate".`,
      )
      .action(async (name: string | undefined, _options: unknown, self: typeof command) => {
        const { showStatus } = await import('../show-status.ts');
        finish(await showStatus(surroundings, name, self.optsWithGlobals<StatusOptions>()));
      });
  },
};
