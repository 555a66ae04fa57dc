/** Flags → the objects that a user of the installed product would write: Cluster, Location, Migration. Pure. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { clusterSchema } from '../api/cluster.ts';
import { locationSchema } from '../api/location.ts';
import { apiVersion, hubNamespace } from '../api/meta.ts';
import { migrationSchema } from '../api/migration.ts';
import type { KubeObject } from '../api/object.ts';
import type { KindRules } from '../api/kind-rules.ts';
import type { Transform } from '../api/transform.ts';
import { TranshipError } from '../errors.ts';
import { parseLocationUrl } from '../location/index.ts';
import type { MigrationOptions } from './options/migration-options.ts';

/** Where the credentials of a location are read again at every run; a path, never a secret. */
export const credentialsFileAnnotation = 'tranship.io/s3-credentials-file';

export interface MigrationObjects {
  clusters: KubeObject[];
  location: KubeObject;
  migration: KubeObject;
}

/** What the files say that flags name; see input-files.ts. */
export interface InputFiles {
  transforms?: readonly Transform[];
  kindRules?: readonly KindRules[];
}

/** @throws InvalidInput naming the flag */
export function objectsOf(options: MigrationOptions, env: NodeJS.ProcessEnv, files: InputFiles = {}): MigrationObjects {
  checkMaps(options);
  const name = options.name ?? defaultName(options);
  const source = clusterObject(options.from, options.kubeconfig, env);
  const target = clusterObject(options.to, options.kubeconfig, env);
  const migration = {
    apiVersion,
    kind: 'Migration',
    metadata: { name, namespace: hubNamespace },
    spec: {
      source: { cluster: source.metadata.name },
      target: { cluster: target.metadata.name },
      namespaces: options.namespace,
      location: name,
      mapping: defined({
        namespaces: options.mapNamespace,
        storageClasses: options.mapStorageClass,
        nodePorts: options.nodePorts,
        existing: options.existing,
        dnsNames: options.dnsNames,
      }),
      // Written into the migration: what it does must not change with a file, while it runs or when it is resumed.
      ...defined({ transforms: files.transforms, kindRules: files.kindRules }),
      transfer: defined({
        streams: options.streams,
        maxBytesPerSecondPerStream: options.bandwidthPerStream,
        parallelVolumes: options.parallelVolumes,
        read: options.read,
        finalRead: options.finalRead,
        temporaryStorageClasses: options.temporaryStorageClass,
        verify: options.verify,
        moverImage: options.moverImage,
      }),
      timeouts: defined({
        snapshotReadySeconds: options.timeoutSnapshot,
        moverStartSeconds: options.timeoutMover,
        stopSeconds: options.timeoutStop,
        frozenSeconds: options.timeoutFrozen,
        readySeconds: options.timeoutReady,
      }),
      ...defined({ warmRounds: options.warmRounds }),
    },
  };
  return {
    clusters: source.metadata.name === target.metadata.name ? [source] : [source, target],
    location: locationObject(name, options, env),
    // Parsed, so that defaults are written down: a later version with other defaults goes on with these.
    migration: asObject(migrationSchema.parse(migration)),
  };
}

/** `shop-to-target`, with a mark when more namespaces than the first are meant. */
export function defaultName(options: Pick<MigrationOptions, 'namespace' | 'to'>): string {
  const [first = 'migration', ...rest] = options.namespace;
  const more = rest.length === 0 ? '' : `-and-${shortHash(rest.toSorted().join(','))}`;
  return label(`${first}${more}-to-${options.to}`);
}

/** @throws InvalidInput naming the flag */
export function checkMaps(options: Pick<MigrationOptions, 'namespace' | 'mapNamespace'>): void {
  for (const { from, to } of options.mapNamespace ?? []) {
    if (!options.namespace.includes(from)) {
      throw new TranshipError('InvalidInput', `--map-namespace renames "${from}", which is not among the moved namespaces.`, {
        hint: `Moved: ${options.namespace.join(', ')}. Add -n ${from}, or correct the map.`,
      });
    }
    if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(to) || to.length > 63) {
      throw new TranshipError('InvalidInput', `--map-namespace: "${to}" is not a valid name of a namespace.`, {
        hint: 'Use at most 63 lower case letters, digits and "-".',
      });
    }
  }
}

function clusterObject(context: string, kubeconfig: string | undefined, env: NodeJS.ProcessEnv): KubeObject {
  const file = kubeconfig ?? env['KUBECONFIG'];
  // A list of files is merged anew at each run; one file is written down, so that `resume` finds it without the variable.
  const path = file === undefined || file === '' || (kubeconfig === undefined && file.includes(':')) ? undefined : resolve(file);
  const name = path === undefined ? label(context) : label(`${context}-${shortHash(path)}`);
  const spec = { context, ...defined({ kubeconfig: path }) };
  return asObject(clusterSchema.parse({ apiVersion, kind: 'Cluster', metadata: { name, namespace: hubNamespace }, spec }));
}

function locationObject(name: string, options: MigrationOptions, env: NodeJS.ProcessEnv): KubeObject {
  const endpoint = options.s3Endpoint ?? firstSet(env['AWS_ENDPOINT_URL_S3'], env['AWS_ENDPOINT_URL']);
  const region = options.s3Region ?? firstSet(env['AWS_REGION'], env['AWS_DEFAULT_REGION']);
  const spec = parseLocationUrl(options.location, defined({ endpoint, region, pathStyle: options.s3PathStyle }));
  const metadata = {
    name,
    namespace: hubNamespace,
    ...(options.s3CredentialsFile === undefined
      ? {}
      : { annotations: { [credentialsFileAnnotation]: resolve(options.s3CredentialsFile) } }),
  };
  const body =
    spec.kind === 's3'
      ? {
          s3: {
            bucket: spec.bucket,
            prefix: spec.prefix,
            region: spec.region,
            pathStyle: spec.pathStyle,
            ...defined({ endpoint: spec.endpoint }),
          },
        }
      : { directory: { path: spec.kind === 'directory' ? spec.path : '' } };
  return asObject(locationSchema.parse({ apiVersion, kind: 'Location', metadata, spec: body }));
}

/** A DNS label of at most 40 characters that keeps what it can of the text and stays unique. */
function label(text: string): string {
  const slug = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  if (slug === text && slug.length <= 40) return slug;
  return `${slug.slice(0, 33).replaceAll(/^-|-$/g, '')}-${shortHash(text)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}

function firstSet(...values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== '');
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** Our kinds, checked by their schema, in the shape that a hub stores. */
function asObject(value: object): KubeObject {
  return value as KubeObject;
}
