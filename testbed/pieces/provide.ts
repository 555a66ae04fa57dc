/** The recipe of a whole level: which sets it takes, what of the machine may stand in, and what all of it is run with. */
import { delimiter, dirname, join } from 'node:path';
import { nodePrograms } from './node-packages.ts';
import type { LightPieces, Origin, Pieces, PiecesNeed, Work } from './pieces.ts';
import {
  cniPlugins,
  cniRecipe,
  containerdPrograms,
  containerdRecipe,
  corednsRecipe,
  etcdRecipe,
  kubePrograms,
  kubeRecipe,
  minioRecipe,
  provisionerRecipe,
  snapshotCrdFiles,
  snapshotterRecipe,
  versitygwRecipe,
} from './recipes.ts';
import { build } from './build.ts';
import { originOf, provideSet, type SetNeed } from './sets.ts';

/**
 * Every program of the level, ready to run. The first call may take many minutes (it then reports progress), the next well under a second.
 * Fails with `Unsupported` and the cure when a piece can be had from no source, `InvalidInput` for a version that is not offered.
 * @example const { kubeApiserver, env } = await providePieces({ level: 'light', kubernetes: '1.36', signal, onProgress: console.log });
 */
export async function providePieces(need: PiecesNeed & { readonly level: 'nodes' }): Promise<Pieces>;
export async function providePieces(need: PiecesNeed): Promise<LightPieces>;
export async function providePieces(need: PiecesNeed): Promise<LightPieces> {
  const light = need.level === 'light';
  // First what is quick and what has no second source: a machine that lacks apt or Go learns it before the long downloads and builds.
  const node = light ? undefined : await nodePrograms(need);
  const coredns = light ? undefined : await provideSet(corednsSet, need);
  // One after the other: each build already uses every core.
  const kube = await provideSet(kubeSet(need.kubernetes, light), need);
  const etcd = originOf(await provideSet({ name: 'etcd', wanted: { etcd: '>=3.5.24' }, recipe: etcdRecipe, light }, need), 'etcd');
  const path = (name: string): string => originOf(kube, name).path;
  const api = {
    kubeApiserver: path('kube-apiserver'),
    kubeControllerManager: path('kube-controller-manager'),
    kubectl: path('kubectl'),
    etcd: etcd.path,
  };
  const origins = [...kube.values(), etcd];
  if (node === undefined || coredns === undefined) return { ...api, ...summary(origins, [], {}) };

  const containerd = await provideSet(set('containerd', containerdPrograms, '>=2.1', containerdRecipe), need);
  const cni = await provideSet(set('cni', cniPlugins, '>=1.4', cniRecipe), need);
  const versitygw = await provideSet(versitygwSet, need);
  const provisioner = await provideSet(set('csi-provisioner', ['csi-provisioner'], '>=5', provisionerRecipe), need);
  const snapshotter = await provideSet(set('csi-snapshotter', ['csi-snapshotter', 'snapshot-controller'], '>=8', snapshotterRecipe), need);
  const files = [await build(snapshotterRecipe, need), await build(provisionerRecipe, need)] as const;
  for (const part of [containerd, cni, coredns, versitygw, provisioner, snapshotter]) origins.push(...part.values());
  origins.push(...node.origins);

  const pieces: Pieces = {
    ...api,
    kubeScheduler: path('kube-scheduler'),
    kubeProxy: path('kube-proxy'),
    kubelet: path('kubelet'),
    containerd: originOf(containerd, 'containerd').path,
    containerdShimRuncV2: originOf(containerd, 'containerd-shim-runc-v2').path,
    ctr: originOf(containerd, 'ctr').path,
    cniDir: dirname(originOf(cni, 'bridge').path),
    coredns: originOf(coredns, 'coredns').path,
    versitygw: originOf(versitygw, 'versitygw').path,
    csiProvisioner: originOf(provisioner, 'csi-provisioner').path,
    csiSnapshotter: originOf(snapshotter, 'csi-snapshotter').path,
    snapshotController: originOf(snapshotter, 'snapshot-controller').path,
    runc: node.runc,
    iptables: node.iptables,
    root: node.root,
    snapshotCrds: snapshotCrdFiles.map((file) => join(files[0], 'files', file)),
    csiProto: join(files[1], 'files', 'csi.proto'),
    ...summary(origins, node.path, node.env),
  };
  return pieces;
}

/** The S3 server alone, for tests that need a store and no cluster. Path of the program. */
export async function provideVersitygw(work: Work): Promise<string> {
  return originOf(await provideSet(versitygwSet, work), 'versitygw').path;
}

/** The S3 servers that the tests of stores run against, by name. Two that share no code: what one accepts by accident the other refuses. */
export async function provideS3Servers(work: Work): Promise<{ versitygw: string; minio: string }> {
  return { versitygw: await provideVersitygw(work), minio: originOf(await provideSet(minioSet, work), 'minio').path };
}

/** CoreDNS alone, for its image. */
export async function provideCoredns(work: Work): Promise<Origin> {
  return originOf(await provideSet(corednsSet, work), 'coredns');
}

function set(name: string, programs: readonly string[], version: string, recipe: SetNeed['recipe']): SetNeed {
  return { name, wanted: Object.fromEntries(programs.map((program) => [program, version])), recipe, light: false };
}
const corednsSet = set('coredns', ['coredns'], '>=1.11', corednsRecipe);
const versitygwSet = set('versitygw', ['versitygw'], '>=1.0', versitygwRecipe);
/** Known by the year of its release. Conditional create came in 2024. */
const minioSet = set('minio', ['minio'], '>=2025', minioRecipe);

function kubeSet(minor: string, light: boolean): SetNeed {
  const programs = light ? kubePrograms.slice(0, 3) : kubePrograms;
  const wanted = Object.fromEntries(programs.map((program) => [program, minor]));
  return { name: `kube-${minor}`, wanted, recipe: kubeRecipe(minor), light };
}

function summary(
  origins: readonly Origin[],
  more: readonly string[],
  env: Readonly<Record<string, string>>,
): Pick<LightPieces, 'env' | 'versions' | 'origins'> {
  const own = process.env['PATH']?.split(delimiter) ?? ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const path = [
    ...new Set([...origins.filter(({ source }) => source !== 'package').map((origin) => dirname(origin.path)), ...more, ...own]),
  ];
  const versions = Object.fromEntries(origins.map(({ name, version }) => [name, version]));
  const kubernetes = versions['kube-apiserver'] ?? '';
  return { env: { PATH: path.join(delimiter), ...env }, versions: { kubernetes, ...versions }, origins };
}
