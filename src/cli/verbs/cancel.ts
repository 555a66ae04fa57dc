import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export const cancel: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('cancel')
      .summary('stop a migration and undo what it began')
      .description(
        'Stops a migration, also one that runs in another terminal, and undoes what it began: the application runs on the source\n' +
          'again, and what was prepared on the target is removed. Waits until that is done. A move that has already\n' +
          'succeeded is not cancelled but rolled back: see "tranship help rollback".',
      )
      .argument('<name>', 'name of the migration');
    addOutputOption(command)
      .addHelpText(
        'after',
        section('Example', 'tranship cancel shop-to-new') +
          `\n\nExit status:\n    0  Cancelled: the application runs on the source.\n${exitCodeHelp([exitCodes.failed, exitCodes.invalid, exitCodes.unavailable, exitCodes.interrupted])}`,
      )
      .action(async (name: string, _options: unknown, self: typeof command) => {
        const { cancelMove } = await import('../end-move.ts');
        finish(await cancelMove(surroundings, name, self.optsWithGlobals<GlobalOptions & { output: OutputFormat }>()));
      });
  },
};
