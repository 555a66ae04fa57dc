/**
 * Two clusters by Docker and kind, for machines that have both. The same files are written; what these clusters lack is said.
 * Not tried on the machine this was written on (it has no Docker).
 */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { TranshipError } from '../../src/errors.ts';
import type { Image } from '../images/index.ts';
import type { Access } from '../node/kubeconfig.ts';
import { providePieces, provideVersitygw } from '../pieces/index.ts';
import { startS3 } from '../s3/start.ts';
import type { BedCluster, ClusterName, TestBed } from './bed.ts';
import type { Claim } from './claim.ts';
import { prepareFiles, writeFiles } from './files.ts';
import type { UpOptions } from './options.ts';
import { together } from './together.ts';
import { minorOf, newest } from './versions.ts';
import { resolveImages } from './wanted-images.ts';

/** Throws `Unsupported` unless both programs are there and Docker answers. */
export function checkKind(): void {
  for (const [program, ...args] of [
    ['docker', 'version'],
    ['kind', 'version'],
  ] as const) {
    if (spawnSync(program, args, { stdio: 'ignore' }).status === 0) continue;
    throw new TranshipError('Unsupported', `The provider kind needs Docker and kind; \`${program} version\` does not work here.`, {
      hint: 'Without: --provider native (Linux, root), the light level, or any two clusters of yours by --from and --to.',
    });
  }
}

export async function startKind({ ledger, header }: Claim, directory: string, options: UpOptions): Promise<TestBed> {
  const { onProgress } = options;
  const work = { signal: options.signal, onProgress };
  await prepareFiles(ledger, directory);
  const versitygw = await provideVersitygw(work);
  const { kubectl, env } = await providePieces({ level: 'light', kubernetes: newest, ...work });
  const images = await resolveImages(options.images, work);
  const create = async (name: ClusterName, version: string | undefined, signal: AbortSignal): Promise<BedCluster & { access: Access }> => {
    const cluster = kindName(header.id, name);
    ledger.write({ kind: 'kind-cluster', name: cluster });
    onProgress(`${name}: kind makes cluster ${cluster}`);
    const image = version === undefined ? [] : ['--image', `kindest/node:v${fullVersion(version)}`];
    const scratch = join(directory, 'state', `${name}.kubeconfig`);
    await run('kind', ['create', 'cluster', '--name', cluster, '--kubeconfig', scratch, '--wait', '180s', ...image], signal);
    await loadKindImages(header.id, name, images, signal);
    const access = readKind(await run('kind', ['get', 'kubeconfig', '--name', cluster], signal), name);
    return describe(name, cluster, access, signal);
  };
  const [source, target] = await together(options.signal, (signal) => [
    create('source', options.sourceVersion, signal),
    create('target', options.targetVersion, signal),
  ]);
  const s3 = await startS3({
    ledger,
    versitygw,
    env,
    address: await gatewayOfKind(options.signal),
    state: join(directory, 'state', 's3'),
    log: join(directory, 'logs', 's3.log'),
    signal: options.signal,
  });
  onProgress('kind has no CSI driver with snapshots: volumes of these clusters cannot be snapshotted unless you install one');
  const { access: fromSource, ...sourceCluster } = source;
  const { access: fromTarget, ...targetCluster } = target;
  const bed: TestBed = {
    id: header.id,
    provider: 'kind',
    directory,
    kubeconfig: join(directory, 'kubeconfig'),
    kubectl,
    clusters: { source: sourceCluster, target: targetCluster },
    s3,
    images,
  };
  await writeFiles(bed, [fromSource, fromTarget]);
  return bed;
}

export async function loadKindImages(id: string, name: ClusterName, images: readonly Image[], signal: AbortSignal): Promise<void> {
  for (const { tar } of images) await run('kind', ['load', 'image-archive', tar, '--name', kindName(id, name)], signal);
}

function kindName(id: string, name: ClusterName): string {
  return `tranship-${id}-${name}`;
}

async function describe(name: ClusterName, cluster: string, access: Access, signal: AbortSignal): Promise<BedCluster & { access: Access }> {
  const nodeName = `${cluster}-control-plane`;
  const ask = (format: string): Promise<string> => run('docker', ['inspect', '--format', format, nodeName], signal);
  return {
    name,
    context: name,
    version: (await run('docker', ['exec', nodeName, 'cat', '/kind/version'], signal)).trim().replace(/^v/, ''),
    server: access.server,
    nodeName,
    nodeAddress: (await ask('{{.NetworkSettings.Networks.kind.IPAddress}}')).trim(),
    // kind's defaults, the same in both clusters
    podRange: '10.244.0.0/16',
    serviceRange: '10.96.0.0/16',
    drivers: [],
    storageClasses: ['standard'],
    defaultStorageClass: 'standard',
    snapshotClasses: [],
    process: undefined,
    access,
  };
}

type KindConfig = {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
  users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
};

function readKind(yaml: string, context: ClusterName): Access {
  const { clusters, users } = parse(yaml) as KindConfig;
  const plain = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
  const { cluster } = clusters[0];
  const { user } = users[0];
  return {
    context,
    server: cluster.server,
    ca: plain(cluster['certificate-authority-data']),
    user: { certificate: plain(user['client-certificate-data']), key: plain(user['client-key-data']) },
  };
}

/** An address of this machine that pods of both clusters reach: the gateway of the network that kind's nodes share. */
async function gatewayOfKind(signal: AbortSignal): Promise<string> {
  const [network] = JSON.parse(await run('docker', ['network', 'inspect', 'kind'], signal)) as {
    IPAM: { Config: { Gateway?: string }[] };
  }[];
  const gateway = network?.IPAM.Config.map(({ Gateway }) => Gateway).find((address) => address !== undefined && address.includes('.'));
  if (gateway === undefined) throw new TranshipError('Unsupported', "Docker's network kind has no IPv4 gateway for the S3 server.");
  return gateway;
}

function fullVersion(version: string): string {
  if (/^v?\d+\.\d+\.\d+$/.test(version)) return version.replace(/^v/, '');
  throw new TranshipError('InvalidInput', `kind needs a full version for its node image, such as ${minorOf(version)}.0, not ${version}.`);
}

async function run(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return (await promisify(execFile)(program, args, { signal })).stdout;
}
