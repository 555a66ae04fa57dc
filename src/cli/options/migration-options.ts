/** The options that `plan` and `migrate` share: they are a Migration, written as flags. */
import { Option, type Command } from 'commander';
import { bytes, fileList, integer, migrationName, namespaceList, oneOf, pairs, seconds, type Pair } from './values.ts';

export interface MigrationOptions {
  from: string;
  to: string;
  namespace: string[];
  location: string;
  name?: string;
  kubeconfig?: string;
  s3Endpoint?: string;
  s3Region?: string;
  s3PathStyle?: boolean;
  s3CredentialsFile?: string;
  mapNamespace?: Pair[];
  mapStorageClass?: Pair[];
  nodePorts?: 'Reset' | 'Preserve';
  existing?: 'Skip' | 'Update' | 'Recreate' | 'Fail';
  dnsNames: boolean;
  transforms?: string[];
  rules?: string[];
  streams?: number;
  bandwidthPerStream?: number;
  parallelVolumes?: number;
  read?: 'Auto' | 'Snapshot' | 'Live';
  finalRead?: 'Auto' | 'Snapshot';
  verify?: 'Touched' | 'All' | 'None';
  warmRounds?: number;
  temporaryStorageClass?: Pair[];
  moverImage?: string;
  timeoutSnapshot?: number;
  timeoutMover?: number;
  timeoutStop?: number;
  timeoutFrozen?: number;
  timeoutReady?: number;
}

/** The endpoint may also come from AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, the region from AWS_REGION, as for the AWS tools. */
export function addMigrationOptions(command: Command): Command {
  command.optionsGroup('What is moved, and where to:');
  command
    .requiredOption('--from <context>', 'kubeconfig context of the cluster that the application runs on now')
    .requiredOption('--to <context>', 'kubeconfig context of the cluster that it moves to')
    .requiredOption('-n, --namespace <namespace>', 'namespace to move; repeat it, or separate with commas', namespaceList)
    .option('--name <name>', 'name of the migration; default: made from the namespace and the target', migrationName)
    .option('--kubeconfig <file>', 'kubeconfig that holds both contexts; default: KUBECONFIG, then ~/.kube/config, as kubectl');

  command.optionsGroup('Where the data travels through:');
  command
    .requiredOption('--location <url>', 's3://bucket/prefix, or dir:/path on this machine')
    .option('--s3-endpoint <url>', 'S3-compatible store; default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, then AWS itself')
    .option('--s3-region <region>', 'default: AWS_REGION, then us-east-1')
    .option('--s3-path-style', 'address the bucket in the path; the default with an endpoint')
    .option('--no-s3-path-style', 'address the bucket in the host name')
    .option('--s3-credentials-file <file>', 'INI file as ~/.aws/credentials; default: AWS_ACCESS_KEY_ID and its companions');

  command.optionsGroup('What changes on the way:');
  command
    .option('--map-namespace <from=to>', 'rename a namespace; references to it follow', pairs('namespace'))
    .option('--map-storage-class <from=to>', 'storage class of the target that stands for one of the source', pairs('class'))
    .addOption(
      new Option('--node-ports <mode>', 'automatically assigned node ports: Reset (default) or Preserve').argParser(
        oneOf('Reset', 'Preserve'),
      ),
    )
    .addOption(
      new Option('--existing <mode>', 'objects that the target has already: Fail (default), Skip, Update or Recreate').argParser(
        oneOf('Skip', 'Update', 'Recreate', 'Fail'),
      ),
    )
    .option('--no-dns-names', 'do not rewrite name.namespace.svc in env, args and ConfigMaps when a namespace is renamed')
    .option(
      '--rules <file>',
      "what an operator's resources name and how they behave: KindRules, see docs/kind-rules.md; repeat it for more",
      fileList,
    )
    .option('--transforms <file>', 'further changes in the objects: a TransformSet, see docs/transforms.md; repeat it for more', fileList);

  command.optionsGroup('How the volumes are copied:');
  command
    .option('--streams <n>', 'parallel streams per volume, 1 to 16 (default 2)', integer(1, 16))
    .option('--bandwidth-per-stream <bytes>', 'limit per stream and second, such as 20Mi (default: none)', bytes)
    .option('--parallel-volumes <n>', 'volumes copied at the same time, 1 to 16 (default 2)', integer(1, 16))
    .addOption(
      new Option(
        '--read <mode>',
        'from a Snapshot (default), Live (not crash consistent), or Auto: a snapshot where it is possible',
      ).argParser(oneOf('Auto', 'Snapshot', 'Live')),
    )
    .addOption(
      new Option(
        '--final-read <mode>',
        'the last round, when the application is stopped: the volume itself where that works (Auto, default; shortest), or a Snapshot',
      ).argParser(oneOf('Auto', 'Snapshot')),
    )
    .addOption(
      new Option('--verify <mode>', 'read back on the target: Touched (default: what was written), All or None').argParser(
        oneOf('Touched', 'All', 'None'),
      ),
    )
    .option('--warm-rounds <n>', 'copy rounds while the application still runs, 0 to 10 (default 1)', integer(0, 10))
    .option(
      '--temporary-storage-class <from=to>',
      'class of the temporary volumes that are made from snapshots of volumes of a class; of the same driver (default: the same class)',
      pairs('class'),
    )
    .option('--mover-image <image>', 'image of the mover; default: the one of this version')
    .option('--timeout-snapshot <time>', 'until a snapshot is ready (default 10m)', seconds)
    .option('--timeout-mover <time>', 'until a mover runs (default 5m)', seconds)
    .option('--timeout-stop <time>', 'until the application has stopped on the source (default 5m)', seconds)
    .option(
      '--timeout-frozen <time>',
      'how long the application may stay stopped before it starts on the source again (default 30m)',
      seconds,
    )
    .option('--timeout-ready <time>', 'until it is ready on the target (default 10m)', seconds);
  command.optionsGroup('Other options:');
  return command;
}
