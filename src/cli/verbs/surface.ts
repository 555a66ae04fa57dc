import type { Command } from 'commander';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { namespaceList } from '../options/values.ts';
import { section, type GlobalOptions, type Verb } from '../verb.ts';

export interface SurfaceOptions extends GlobalOptions {
  from?: string;
  to?: string;
  namespace: string[];
  for?: string;
  file?: string;
  kubeconfig?: string;
  nodeNames: boolean;
}

export const surface: Verb = {
  define(program, surroundings, finish) {
    program
      .command('surface')
      .summary('export what an assessment needs to know of a cluster, to assess without reaching it')
      .description('Files that describe one cluster, for tranship assess.')
      .command('export')
      .summary('write what an assessment needs to know of one cluster')
      .description(
        'Reads one cluster and writes one JSON file: versions, kinds, fields, classes, nodes, quotas, policies, ports that are taken, and\n' +
          'with --from the application itself. Nothing is changed. Secrets and ConfigMaps are there without their content: only host names\n' +
          'that stand in them are kept. docs/assess.md lists what is read and which fields are kept.',
      )
      .option('--from <context>', 'kubeconfig context of the cluster that the application runs on now')
      .option('--to <context>', 'kubeconfig context of the cluster that it would move to')
      .requiredOption('-n, --namespace <namespace>', 'namespace to move; with --to as it is called there', namespaceList)
      .option('-f, --file <file>', 'where to write; default: standard output')
      .option('--for <file>', 'with --from: the surface file of the target, so that objects are read in versions that it serves')
      .option('--no-node-names', 'number the nodes instead of naming them')
      .option('--kubeconfig <file>', 'kubeconfig that holds the context; default: KUBECONFIG, then ~/.kube/config, as kubectl')
      .addHelpText(
        'after',
        section(
          'Examples',
          'tranship surface export --to new -n shop -f new.json',
          'tranship surface export --from old -n shop --for new.json -f old.json',
          'tranship assess --from-file old.json --to-file new.json',
        ) + `\n\nExit status:\n${exitCodeHelp([exitCodes.ok, exitCodes.invalid, exitCodes.unavailable, exitCodes.forbidden])}`,
      )
      .action(async (_options: unknown, self: Command) => {
        const { exportSurface } = await import('../export-surface.ts');
        finish(await exportSurface(surroundings, self.optsWithGlobals<SurfaceOptions>()));
      });
  },
};
