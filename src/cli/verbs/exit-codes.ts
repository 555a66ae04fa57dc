import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import type { Verb } from '../verb.ts';

/** `tranship help exit-codes` and `tranship exit-codes` print the same table. */
export const exitCodesTopic: Verb = {
  define(program, surroundings, finish) {
    const text = `Exit status of every verb:\n${exitCodeHelp()}`;
    program
      .command('exit-codes')
      .summary('what the exit codes mean')
      .description(text)
      .action(() => {
        surroundings.stdout.write(`${text}\n`);
        finish(exitCodes.ok);
      });
  },
};
