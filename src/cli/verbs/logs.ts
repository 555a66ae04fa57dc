import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export interface LogsOptions extends GlobalOptions {
  output: OutputFormat;
  follow?: boolean;
}

export const logs: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('logs')
      .summary('print what happened in a migration, line by line')
      .description('Prints the recorded events of a migration: those of every run of it, in order of time.')
      .argument('<name>', 'name of the migration');
    addOutputOption(command)
      .option('-f, --follow', 'go on printing new events until Ctrl-C')
      .addHelpText(
        'after',
        section('Examples', 'tranship logs shop-to-new', 'tranship logs shop-to-new -f -o json   # one JSON object per line') +
          `\n\nExit status:\n${exitCodeHelp([exitCodes.ok, exitCodes.invalid])}`,
      )
      .action(async (name: string, _options: unknown, self: typeof command) => {
        const { printLogs } = await import('../print-logs.ts');
        finish(await printLogs(surroundings, name, self.optsWithGlobals<LogsOptions>()));
      });
  },
};
