import { exitCodes } from '../exit-codes.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
import type { Verb } from '../verb.ts';
import { version as number } from '../../version.ts';

export const version: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('version')
      .summary('print the version')
      .description('Prints the version of tranship and of the Node that runs it.');
    addOutputOption(command).action((_options: unknown, self: typeof command) => {
      const facts = { tranship: number, node: process.version, platform: `${process.platform}-${process.arch}` };
      const { output } = self.opts<{ output: OutputFormat }>();
      surroundings.stdout.write(
        output === 'json' ? `${JSON.stringify(facts)}\n` : `tranship ${facts.tranship} (node ${facts.node}, ${facts.platform})\n`,
      );
      finish(exitCodes.ok);
    });
  },
};
