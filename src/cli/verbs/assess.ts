import { Option } from 'commander';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { namespaceList, oneOf, pairs, type Pair } from '../options/values.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export interface AssessOptions extends GlobalOptions {
  from?: string;
  fromFile?: string;
  to?: string;
  toFile?: string;
  namespace?: string[];
  kubeconfig?: string;
  mapNamespace?: Pair[];
  mapStorageClass?: Pair[];
  nodePorts: 'Reset' | 'Preserve';
  existing: 'Skip' | 'Update' | 'Recreate' | 'Fail';
  dnsNames: boolean;
  read: 'Auto' | 'Snapshot' | 'Live';
  answers?: string;
  printAnswers?: boolean;
  output: 'text' | 'json' | 'markdown' | 'html';
}

export const assess: Verb = {
  define(program, surroundings, finish) {
    const command = program
      .command('assess')
      .summary('find out before the move what would go wrong; changes nothing')
      .description(
        'Reads the application and both clusters, live or from files of tranship surface export, and checks them by every rule of the\n' +
          'catalogue (docs/findings.md). Says what stands against a move, what is not known, what was not proven, and which questions only\n' +
          'people can answer. The findings of tranship plan are part of it.',
      );
    command.optionsGroup('What is assessed:');
    command
      .option('--from <context>', 'kubeconfig context of the cluster that the application runs on now')
      .option('--from-file <file>', 'instead of --from: its surface file')
      .option('--to <context>', 'kubeconfig context of the cluster that it would move to')
      .option('--to-file <file>', 'instead of --to: its surface file')
      .option('-n, --namespace <namespace>', 'namespace to move; default with --from-file: those of the file', namespaceList)
      .option('--kubeconfig <file>', 'kubeconfig that holds the contexts; default: KUBECONFIG, then ~/.kube/config, as kubectl');
    command.optionsGroup('How it would be moved:');
    command
      .option('--map-namespace <from=to>', 'rename a namespace', pairs('namespace'))
      .option('--map-storage-class <from=to>', 'storage class of the target that stands for one of the source', pairs('class'))
      .addOption(
        new Option('--node-ports <mode>', 'Reset (default) or Preserve').argParser(oneOf('Reset', 'Preserve')).default('Reset', 'Reset'),
      )
      .addOption(
        new Option('--existing <mode>', 'objects that the target has already: Fail (default), Skip, Update or Recreate')
          .argParser(oneOf('Skip', 'Update', 'Recreate', 'Fail'))
          .default('Fail', 'Fail'),
      )
      .option('--no-dns-names', 'do not rewrite service names when a namespace is renamed')
      .addOption(
        new Option('--read <mode>', 'how volumes are read: Snapshot (default), Live or Auto')
          .argParser(oneOf('Auto', 'Snapshot', 'Live'))
          .default('Snapshot', 'Snapshot'),
      );
    command.optionsGroup('What is known besides, and the report:');
    command
      .option('--answers <file>', 'answers to what no tool can read, and findings that you live with (YAML)')
      .option('--print-answers', 'print a file of answers to fill in, and end')
      .addOption(
        new Option('-o, --output <format>', 'text (default), json, markdown or html (one file, to send)')
          .argParser(oneOf('text', 'json', 'markdown', 'html'))
          .default('text', 'text'),
      )
      .addHelpText(
        'after',
        section(
          'Examples',
          'tranship assess --from old --to new -n shop',
          'tranship assess --from old --to new -n shop --answers answers.yaml -o html > shop.html',
          'tranship assess --from-file old.json --to-file new.json -o json | jq .findings',
          'tranship assess --print-answers > answers.yaml',
        ) +
          `\n\nExit status:\n${exitCodeHelp([exitCodes.ok, exitCodes.invalid, exitCodes.blocked, exitCodes.incomplete, exitCodes.unavailable, exitCodes.forbidden])}`,
      )
      .action(async (_options: unknown, self: typeof command) => {
        const { assessMove } = await import('../assess-move.ts');
        finish(await assessMove(surroundings, self.optsWithGlobals<AssessOptions>()));
      });
  },
};
