import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { addOutputOption, type OutputFormat } from '../options/output.ts';
import { fileList } from '../options/values.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export interface TransformTestOptions extends GlobalOptions {
  filename: string[];
  object?: string;
  migration?: string;
  output: OutputFormat;
}

export const transform: Verb = {
  define(program, surroundings, finish) {
    const parent = program
      .command('transform')
      .summary('try transforms before a move uses them')
      .description('Works on files with transforms.');
    const command = parent
      .command('test')
      .summary('show what each operation meets and changes')
      .description(
        'Tries transforms on pasted objects, or on everything that a migration has captured, with its mapping. Shows per operation\n' +
          'what it met and what it changed. Nothing is written anywhere.',
      )
      .requiredOption(
        '-f, --filename <file>',
        'a TransformSet, a list of transforms, or Velero resource modifiers; repeat it for more',
        fileList,
      )
      .option('--object <file>', 'objects to try them on, YAML or JSON; - for standard input')
      .option('--migration <name>', 'try them on the restore point of this migration');
    addOutputOption(command)
      .addHelpText(
        'after',
        section(
          'Examples',
          'tranship transform test -f mirror.yaml --object deployment.yaml',
          'kubectl get deploy,sts -n shop -o yaml | tranship transform test -f mirror.yaml --object -',
          'tranship transform test -f mirror.yaml --migration shop-to-new -o json | jq .objects[].object',
        ) +
          '\n\nExit status:\n    0  Every transform fits an object, and every operation could be done.\n' +
          `    1  A transform fits no object.\n    3  An operation can't be done: a move with it would not start.\n${exitCodeHelp([exitCodes.invalid])}`,
      )
      .action(async (_options: unknown, self: typeof command) => {
        const { testTransforms } = await import('../test-transforms.ts');
        finish(await testTransforms(surroundings, self.optsWithGlobals<TransformTestOptions>()));
      });
  },
};
