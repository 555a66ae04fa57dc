import { exitCodeHelp } from '../exit-codes.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export const resume: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('resume')
      .summary('go on with a migration that was interrupted or failed')
      .description(
        'Goes on where a killed, stopped or failed migration was: finished steps and copied data are not done again. Everything but\n' +
          'the credentials was written down; those of the store are read from the environment again, as for "tranship migrate".',
      )
      .argument('<name>', 'name of the migration');
    addOutputOption(command)
      .addHelpText('after', section('Example', 'tranship resume shop-to-new') + `\n\nExit status:\n${exitCodeHelp()}`)
      .action(async (name: string, _options: unknown, self: typeof command) => {
        const { resumeMove } = await import('../resume-move.ts');
        finish(await resumeMove(surroundings, name, self.optsWithGlobals<GlobalOptions & { output: OutputFormat }>()));
      });
  },
};
