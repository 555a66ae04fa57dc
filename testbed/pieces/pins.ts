/**
 * Every version and hash that a test bed is made of, in one place. A hash stands here only when its publisher said it; where there is
 * none, there is no download for that piece, and it is built (Go's checksum database vouches for the modules).
 */

/** Offered minors of Kubernetes, and the module that each is built from (testbed/build/kube-MINOR). */
export const kubernetesVersions: Readonly<Record<string, string>> = { '1.36': '1.36.3', '1.34': '1.34.4' };

/** The version that `testbed/build/NAME/go.mod` names. */
export const builtVersions = {
  etcd: '3.6.16',
  containerd: '2.1.9',
  cni: '1.9.1',
  coredns: '1.14.7',
  versitygw: '1.8.0',
  // No release in Go's sense: the commit of RELEASE.2026-02-12T20-18-48Z.
  minio: '0.0.0-20260212201848-7aac2a2c5b7c',
  csi: '6.3.0',
} as const;
export const csiVersions = { provisioner: '6.3.0', snapshotter: '8.6.0', spec: '1.12.0' } as const;

export type Download = {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly hash: { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string };
  /** Paths inside the archive (tar.gz), each lands under its last segment. */
  readonly members: readonly string[];
};

const github = 'https://github.com';
const server = 'kubernetes/server/bin';
const kubeNames = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet', 'kubectl'];
const containerdNames = ['containerd', 'containerd-shim-runc-v2', 'ctr'];
const cniNames = ['bridge', 'loopback', 'host-local', 'portmap'];

/**
 * By set and Node's name of the processor (`x64`, `arm64`). Kubernetes sets are named `kube-MINOR`.
 * Hashes: Kubernetes from its CHANGELOG-1.36.md; the others from kubernetes-sigs/kubespray, commit 46dbdd3994b3,
 * roles/kubespray_defaults/vars/main/checksums.yml. None is known to us for Kubernetes 1.34 as a whole, CoreDNS with our plugins,
 * versitygw, MinIO and the CSI sidecars (published as images): these are built.
 */
export const downloads: Readonly<Record<string, Readonly<Record<string, Download>>>> = {
  'kube-1.36': {
    x64: {
      name: 'kubernetes-server',
      version: '1.36.0',
      url: 'https://dl.k8s.io/v1.36.0/kubernetes-server-linux-amd64.tar.gz',
      hash: {
        algorithm: 'sha512',
        hex: '1c64da92575451c2c7ff97c79b772e603995f8e76da1371a6b0746aaa27b65dce81c4d734cbb50f40e71486a8e08df36f14e12974f97d4d29e41f23a172a6a25',
      },
      members: kubeNames.map((name) => `${server}/${name}`),
    },
  },
  etcd: {
    x64: etcd('amd64', 'ffe840ff9295808e88cce2794a18a5ac87f12a5203c8314d0bf6aa119b41bac5'),
    arm64: etcd('arm64', 'fa1b80565ee6fc2df1ae6f57a508b221f3ecc7d591c317c581cd8281b0842b3e'),
  },
  containerd: {
    x64: containerd('amd64', 'd52dec99dd13e63c6a24f292936c15f929ad826be1ce39d7a77a3d840b1a2299'),
    arm64: containerd('arm64', 'f0e77d2bd29c6a4a463c593b3e9e39ce31b830ff572aba98ea544aa3b8f08be7'),
  },
  cni: {
    x64: cni('amd64', 'b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303'),
    arm64: cni('arm64', '56171987d3947707c3563db2f4001bccaf50fd63468611b9f3cbecb1375ee7ec'),
  },
};

function etcd(arch: string, hex: string): Download {
  const stem = `etcd-v3.6.14-linux-${arch}`;
  const url = `${github}/etcd-io/etcd/releases/download/v3.6.14/${stem}.tar.gz`;
  return { name: 'etcd-release', version: '3.6.14', url, hash: { algorithm: 'sha256', hex }, members: [`${stem}/etcd`] };
}

/** The static flavour: it runs on any C library. */
function containerd(arch: string, hex: string): Download {
  const url = `${github}/containerd/containerd/releases/download/v2.1.9/containerd-static-2.1.9-linux-${arch}.tar.gz`;
  const members = containerdNames.map((name) => `bin/${name}`);
  return { name: 'containerd-release', version: '2.1.9', url, hash: { algorithm: 'sha256', hex }, members };
}

function cni(arch: string, hex: string): Download {
  const url = `${github}/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-${arch}-v1.9.1.tgz`;
  return { name: 'cni-release', version: '1.9.1', url, hash: { algorithm: 'sha256', hex }, members: cniNames };
}

/** Debian packages of a node: programs that a node calls, and their libraries by apt's own solver. */
export const nodePackages = ['runc', 'iptables', 'nftables', 'conntrack', 'ethtool', 'socat', 'btrfs-progs'] as const;

/** What tests of the data engine compare with, and make file systems with. */
export const refereePackages = ['restic', 'rsync', 'attr', 'acl', 'xfsprogs', 'btrfs-progs'] as const;

/** Never unpacked beside a running system: its own C library must stay the one in use, and scripts of packages are not run. */
export const leftOut =
  /^(libc6|libc-bin|libc-l10n|locales|libgcc-s1|gcc-.*-base|netbase|dpkg|tar|perl.*|lib.*-perl|libperl.*|libllvm.*|libz3-.*|passwd|adduser|usrmerge|init-system-helpers|sysvinit-utils|debconf.*|cdebconf|ucf|sensible-utils|lsb-base|readline-common|openssl|ssl-cert|libpam-modules.*|libpam-runtime|libsemanage.*|libsepol.*|libgdbm.*|libdb5.*|login.*|mawk|base-.*|coreutils|install-info)$/;
