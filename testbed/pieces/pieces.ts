/**
 * What a test bed is run with: paths of programs, never their processes. Every path is absolute and every program runs with `env`.
 */

/** How much of a cluster is wanted: `light` = API only (etcd, apiserver, controller-manager), `nodes` = pods run for real. */
export type Level = 'light' | 'nodes';

/** What every caller gives. `onProgress` gets one finished line (no newline) a few times per minute of work; it may be called never. */
export type Work = { readonly signal: AbortSignal; readonly onProgress: (line: string) => void };

export type PiecesNeed = Work & {
  readonly level: Level;
  /** Minor version of Kubernetes, such as `1.36`. Offered: see `kubernetesVersions`. */
  readonly kubernetes: string;
};

/** Where one program came from, for the table that users see. */
export type Origin = {
  readonly name: string;
  readonly version: string;
  /** `given` = named by a variable or found on PATH, `download`, `build` = from Go modules, `package` = the system's packages. */
  readonly source: 'given' | 'download' | 'build' | 'package';
  readonly path: string;
};

export type LightPieces = {
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubectl: string;
  readonly etcd: string;
  /** Add to the environment of every program here: PATH, and for `nodes` LD_LIBRARY_PATH and XTABLES_LIBDIR. */
  readonly env: Readonly<Record<string, string>>;
  /** Full Kubernetes version, such as `1.36.3`, and those of the others by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly origins: readonly Origin[];
};

export type Pieces = LightPieces & {
  readonly kubeScheduler: string;
  readonly kubeProxy: string;
  readonly kubelet: string;
  readonly containerd: string;
  readonly containerdShimRuncV2: string;
  readonly ctr: string;
  /** Directory with bridge, loopback, host-local, portmap. */
  readonly cniDir: string;
  readonly coredns: string;
  readonly versitygw: string;
  readonly csiProvisioner: string;
  readonly csiSnapshotter: string;
  readonly snapshotController: string;
  readonly runc: string;
  readonly iptables: string;
  /** Unpacked Debian packages: runc, iptables, conntrack, ethtool, socat, btrfs-progs with their libraries. */
  readonly root: string;
  /** The definitions of `snapshot.storage.k8s.io` and `groupsnapshot.storage.k8s.io`, YAML files. */
  readonly snapshotCrds: readonly string[];
  /** csi.proto of the CSI specification 1.12.0. */
  readonly csiProto: string;
};
