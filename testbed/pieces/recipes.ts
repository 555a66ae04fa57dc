/** What is built from which module, as data: programs, version stamps, links by name, files taken along. */
import { TranshipError } from '../../src/errors.ts';
import { builtVersions, csiVersions, kubernetesVersions } from './pins.ts';

/** The oldest Go that the modules accept. */
export const neededGo = '1.26';

export type Recipe = {
  readonly name: string;
  readonly version: string;
  /** Directory of the Go module, seen from testbed/build. */
  readonly module: string;
  readonly programs: readonly { readonly output: string; readonly package: string }[];
  /** Arguments of the linker beside `-s -w`. */
  readonly stamp: readonly string[];
  readonly links: readonly (readonly [link: string, target: string])[];
  /** Files of modules, copied to `files/`. */
  readonly files: readonly { readonly module: string; readonly paths: readonly string[] }[];
};

export const kubePrograms = ['kube-apiserver', 'kube-controller-manager', 'kubectl', 'kube-scheduler', 'kube-proxy', 'kubelet'] as const;

/** Full version that is built for a minor such as `1.36`. */
export function kubernetesVersion(minor: string): string {
  const version = kubernetesVersions[minor];
  if (version === undefined)
    throw new TranshipError('InvalidInput', `The test bed does not offer Kubernetes ${minor}.`, {
      hint: `Offered: ${Object.keys(kubernetesVersions).join(', ')}.`,
    });
  return version;
}

/** One binary with six names: the shared nine tenths are linked once. */
export function kubeRecipe(minor: string): Recipe {
  const version = kubernetesVersion(minor);
  const [majorPart, minorPart] = minor.split('.');
  const at = '-X k8s.io/component-base/version.';
  return {
    name: 'kube',
    version,
    module: `kube-${minor}`,
    programs: [{ output: 'kube', package: '.' }],
    stamp: [
      `${at}gitVersion=v${version}`,
      `${at}gitMajor=${majorPart}`,
      `${at}gitMinor=${minorPart}`,
      `${at}gitTreeState=clean`,
      `${at}gitCommit=unknown`,
      `${at}buildDate=2026-01-01T00:00:00Z`, // fixed: the same bytes on every machine
    ],
    links: kubePrograms.map((name) => [name, 'kube'] as const),
    files: [],
  };
}

const none = { stamp: [], links: [], files: [] } as const;

export const etcdRecipe: Recipe = {
  ...none,
  name: 'etcd',
  version: builtVersions.etcd,
  module: 'etcd',
  programs: [{ output: 'etcd', package: 'go.etcd.io/etcd/server/v3' }],
};

export const containerdPrograms = ['containerd', 'containerd-shim-runc-v2', 'ctr'] as const;
export const containerdRecipe: Recipe = {
  ...none,
  name: 'containerd',
  version: builtVersions.containerd,
  module: 'containerd',
  programs: containerdPrograms.map((name) => ({ output: name, package: `github.com/containerd/containerd/v2/cmd/${name}` })),
  stamp: [`-X github.com/containerd/containerd/v2/version.Version=${builtVersions.containerd}`],
};

export const cniPlugins = ['bridge', 'loopback', 'host-local', 'portmap'] as const;
const cniFolder: Readonly<Record<(typeof cniPlugins)[number], string>> = {
  bridge: 'main/bridge',
  loopback: 'main/loopback',
  'host-local': 'ipam/host-local',
  portmap: 'meta/portmap',
};
const plugins = 'github.com/containernetworking/plugins';
export const cniRecipe: Recipe = {
  ...none,
  name: 'cni',
  version: builtVersions.cni,
  module: 'cni',
  programs: cniPlugins.map((name) => ({ output: name, package: `${plugins}/plugins/${cniFolder[name]}` })),
  stamp: [`-X ${plugins}/pkg/utils/buildversion.BuildVersion=v${builtVersions.cni}`],
};

export const corednsRecipe: Recipe = {
  ...none,
  name: 'coredns',
  version: builtVersions.coredns,
  module: 'coredns',
  programs: [{ output: 'coredns', package: '.' }],
};

export const versitygwRecipe: Recipe = {
  ...none,
  name: 'versitygw',
  version: builtVersions.versitygw,
  module: 'versitygw',
  programs: [{ output: 'versitygw', package: 'github.com/versity/versitygw/cmd/versitygw' }],
  stamp: [`-X main.Version=v${builtVersions.versitygw}`],
};

/**
 * A second S3 server that shares no code with the first, for the tests of stores only: a program beside ours (AGPL-3.0), never linked or shipped. Its
 * release time stands in the pinned commit.
 */
const minio = 'github.com/minio/minio';
const [, minioTime = '', minioCommit = ''] = builtVersions.minio.split('-');
const minioRelease = minioTime.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4-$5-$6Z');
export const minioRecipe: Recipe = {
  ...none,
  name: 'minio',
  version: builtVersions.minio,
  module: 'minio',
  programs: [{ output: 'minio', package: minio }],
  stamp: [
    `-X ${minio}/cmd.ReleaseTag=RELEASE.${minioRelease}`,
    `-X ${minio}/cmd.Version=${minioRelease.replace(/T(..)-(..)-/, 'T$1:$2:')}`,
    `-X ${minio}/cmd.CommitID=${minioCommit}`,
    `-X ${minio}/cmd.ShortCommitID=${minioCommit}`,
  ],
};

export const csiPrograms = ['csi-provisioner', 'csi-snapshotter', 'snapshot-controller'] as const;
const csi = 'github.com/kubernetes-csi';
/** All three stamp `main.version`; one module, two versions, so each program tells its own project's. */
export const provisionerRecipe: Recipe = {
  ...none,
  name: 'csi-provisioner',
  version: csiVersions.provisioner,
  module: 'csi',
  programs: [{ output: 'csi-provisioner', package: `${csi}/external-provisioner/v6/cmd/csi-provisioner` }],
  stamp: [`-X main.version=v${csiVersions.provisioner}`],
  files: [{ module: 'github.com/container-storage-interface/spec', paths: ['csi.proto'] }],
};

const classesContentsAndThemselves = (kind: string) => [`${kind}classes`, `${kind}contents`, `${kind}s`];
export const snapshotCrdFiles = [
  ...classesContentsAndThemselves('volumesnapshot').map((plural) => `snapshot.storage.k8s.io_${plural}.yaml`),
  ...classesContentsAndThemselves('volumegroupsnapshot').map((plural) => `groupsnapshot.storage.k8s.io_${plural}.yaml`),
];
export const snapshotterRecipe: Recipe = {
  ...none,
  name: 'csi-snapshotter',
  version: csiVersions.snapshotter,
  module: 'csi',
  programs: [
    { output: 'csi-snapshotter', package: `${csi}/external-snapshotter/v8/cmd/csi-snapshotter` },
    { output: 'snapshot-controller', package: `${csi}/external-snapshotter/v8/cmd/snapshot-controller` },
  ],
  stamp: [`-X main.version=v${csiVersions.snapshotter}`],
  files: [{ module: `${csi}/external-snapshotter/client/v8`, paths: snapshotCrdFiles.map((file) => `config/crd/${file}`) }],
};
