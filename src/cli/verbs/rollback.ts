import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export interface RollbackOptions extends GlobalOptions {
  output: OutputFormat;
  yes?: boolean;
}

export const rollback: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('rollback')
      .summary('after a move: stop the application on the target, start it on the source')
      .description(
        'Takes a finished move back: the application is stopped on the target and started on the source with the replica counts\n' +
          'that it had. What was written on the target since the move is not carried back.',
      )
      .argument('<name>', 'name of the migration');
    addOutputOption(command)
      .option('-y, --yes', 'do not ask')
      .addHelpText(
        'after',
        section('Example', 'tranship rollback shop-to-new') +
          `\n\nExit status:\n    0  Rolled back: the application runs on the source.\n${exitCodeHelp([exitCodes.failed, exitCodes.invalid, exitCodes.unavailable, exitCodes.interrupted])}`,
      )
      .action(async (name: string, _options: unknown, self: typeof command) => {
        const { rollBackMove } = await import('../end-move.ts');
        finish(await rollBackMove(surroundings, name, self.optsWithGlobals<RollbackOptions>()));
      });
  },
};
