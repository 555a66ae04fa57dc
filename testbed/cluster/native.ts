/** Two nodes and an S3 server from programs in namespaces. */
import { join } from 'node:path';
import { testbedDrivers, type DriverSpec } from '../csi/index.ts';
import { provideImages, type Image } from '../images/index.ts';
import { machineCgroups } from '../node/cgroups.ts';
import { makeBridge } from '../node/network.ts';
import { apiserverPort, nodeNameOf, type NodeSpec } from '../node/spec.ts';
import { startNode, type BaseImages, type StartedNode } from '../node/start.ts';
import { providePieces, type Pieces } from '../pieces/index.ts';
import { startS3 } from '../s3/start.ts';
import { layOut } from './addresses.ts';
import type { BedCluster, ClusterName, TestBed } from './bed.ts';
import type { Claim } from './claim.ts';
import { prepareFiles, writeFiles } from './files.ts';
import type { UpOptions } from './options.ts';
import { hasBtrfs } from './preflight.ts';
import { prepareMachine } from './machine.ts';
import { together } from './together.ts';
import { wantedVersions } from './versions.ts';
import { resolveImages } from './wanted-images.ts';

export type Provisions = {
  readonly pieces: Readonly<Record<ClusterName, Pieces>>;
  readonly base: BaseImages;
  readonly more: readonly Image[];
};

/** Programs and images, found or made before anything is started. */
export async function provide(options: UpOptions): Promise<Provisions> {
  const work = { signal: options.signal, onProgress: options.onProgress };
  const versions = wantedVersions(options);
  const source = await providePieces({ level: 'nodes', kubernetes: versions.source, ...work });
  const target =
    versions.target === versions.source ? source : await providePieces({ level: 'nodes', kubernetes: versions.target, ...work });
  const base = await provideImages(['pause', 'busybox', 'coredns'], work);
  return { pieces: { source, target }, base, more: await resolveImages(options.images, work) };
}

/** Starts everything at once. When one part fails, the others are stopped and waited for; the caller takes back what the ledger names. */
export async function startNative(claim: Claim, directory: string, provisions: Provisions, options: UpOptions): Promise<TestBed> {
  const { ledger, header } = claim;
  await prepareFiles(ledger, directory);
  await prepareMachine(ledger, options.signal);
  const bed = layOut(header.id, header.ranges[0] ?? '');
  makeBridge(ledger, bed);
  const cgroups = machineCgroups();
  const specOf = (name: ClusterName): NodeSpec => ({
    name,
    bedId: header.id,
    nodeName: nodeNameOf(name),
    addresses: bed.nodes[name],
    bed,
    pieces: provisions.pieces[name],
    drivers: driversOf(name),
    cgroups,
    state: join(directory, 'state', name),
    logs: join(directory, 'logs', name),
  });
  const specs = { source: specOf('source'), target: specOf('target') };
  const images = { base: provisions.base, more: provisions.more.map(({ tar }) => tar) };
  const [s3, source, target] = await together(options.signal, (signal) => [
    startS3({
      ledger,
      versitygw: provisions.pieces.source.versitygw,
      env: provisions.pieces.source.env,
      address: bed.gateway,
      state: join(directory, 'state', 's3'),
      log: join(directory, 'logs', 's3.log'),
      signal,
    }),
    startNode(ledger, specs.source, images, signal, options.onProgress),
    startNode(ledger, specs.target, images, signal, options.onProgress),
  ]);
  const testBed: TestBed = {
    id: header.id,
    provider: 'native',
    directory,
    kubeconfig: join(directory, 'kubeconfig'),
    kubectl: provisions.pieces.target.kubectl,
    clusters: { source: describe(specs.source, source), target: describe(specs.target, target) },
    s3,
    images: [...Object.values(provisions.base), ...provisions.more],
  };
  await writeFiles(testBed, [source.access, target.access]);
  return testBed;
}

/** Where the kernel has no btrfs, image files with frozen ext4 stand in: atomic as well, only slower. */
function driversOf(name: ClusterName): DriverSpec[] {
  return testbedDrivers[name].map((driver) => (driver.medium === 'btrfs' && !hasBtrfs() ? { ...driver, medium: 'ext4' } : driver));
}

function describe(spec: NodeSpec, node: StartedNode): BedCluster {
  const classes = spec.drivers.flatMap((driver) => driver.storageClasses);
  return {
    name: spec.name,
    context: spec.name,
    version: spec.pieces.versions['kubernetes'] ?? '',
    server: `https://${spec.addresses.address}:${apiserverPort}`,
    nodeName: spec.nodeName,
    nodeAddress: spec.addresses.address,
    podRange: spec.addresses.podRange,
    serviceRange: spec.addresses.serviceRange,
    drivers: spec.drivers.map(({ name, medium }) => ({ name, kind: medium })),
    storageClasses: classes.map(({ name }) => name),
    defaultStorageClass: classes.find(({ isDefault }) => isDefault === true)?.name ?? '',
    snapshotClasses: spec.drivers.map(({ snapshotClass }) => snapshotClass),
    process: node.process,
  };
}
