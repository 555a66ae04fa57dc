/** The command line: global options and the verbs, in the order in which a user needs them. */
import { Command } from 'commander';
import { section, type Verb } from './verb.ts';
import type { Surroundings } from './surroundings.ts';
import { assess } from './verbs/assess.ts';
import { cancel } from './verbs/cancel.ts';
import { exitCodesTopic } from './verbs/exit-codes.ts';
import { logs } from './verbs/logs.ts';
import { migrate } from './verbs/migrate.ts';
import { plan } from './verbs/plan.ts';
import { restorePoints } from './verbs/restore-points.ts';
import { resume } from './verbs/resume.ts';
import { rollback } from './verbs/rollback.ts';
import { status } from './verbs/status.ts';
import { surface } from './verbs/surface.ts';
import { transform } from './verbs/transform.ts';
import { version } from './verbs/version.ts';
import { version as number } from '../version.ts';

const verbs: readonly Verb[] = [
  assess,
  surface,
  plan,
  migrate,
  status,
  logs,
  cancel,
  resume,
  rollback,
  restorePoints,
  transform,
  version,
  exitCodesTopic,
];

export function createProgram(surroundings: Surroundings, finish: (code: number) => void): Command {
  const program = new Command('tranship')
    .description('Moves running applications, with their data, between Kubernetes clusters.')
    .helpOption('-h, --help', 'show this help, or that of a verb')
    .helpCommand('help [verb]', 'show the help of a verb')
    .option('--hub <file>', 'where migrations are written down; default: TRANSHIP_HUB, then ~/.local/state/tranship/hub.db')
    .version(number, '--version', 'print the version')
    .option('-v, --verbose', 'say more; with an error, everything that led to it')
    .configureHelp({ helpWidth: 120, showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
    })
    .showSuggestionAfterError(true)
    .exitOverride()
    .addHelpText(
      'after',
      section(
        'How to begin',
        '1. tranship plan     --from old --to new -n shop --location s3://moves/shop   # reads only',
        '2. tranship migrate  --from old --to new -n shop --location s3://moves/shop   # asks, then moves',
        '3. tranship status                                                          # from another terminal',
        '4. tranship rollback shop-to-new                                            # when the old home was better',
        '',
        'Clusters are contexts of your kubeconfig, as with kubectl. Nothing needs to be installed on either side.',
        'Credentials of the store come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from --s3-credentials-file.',
      ),
    );
  for (const verb of verbs) verb.define(program, surroundings, finish);
  return program;
}
