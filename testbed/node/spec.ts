/** One node in the making: everything that its files, flags and commands are derived from. */
import { join } from 'node:path';
import type { ClusterName } from '../cluster/bed.ts';
import type { BedAddresses, NodeAddresses } from '../cluster/addresses.ts';
import type { Pieces } from '../pieces/index.ts';
import type { DriverSpec } from '../csi/index.ts';
import type { Cgroups } from './cgroups.ts';
import type { ControlPlane } from './flags.ts';
import { pkiPaths } from './pki.ts';

export type NodeSpec = {
  readonly name: ClusterName;
  readonly bedId: string;
  readonly nodeName: string;
  readonly addresses: NodeAddresses;
  readonly bed: BedAddresses;
  readonly pieces: Pieces;
  readonly drivers: readonly DriverSpec[];
  readonly cgroups: Cgroups;
  /** `.testbed/state/source`: deleted with the bed. */
  readonly state: string;
  readonly logs: string;
};

export const apiserverPort = 6443;

export function nodeNameOf(name: ClusterName): string {
  return `node-${name}`;
}

/** Directories of the node's state that lie over the machine's empty ones inside the node. */
export function mountPoints(spec: NodeSpec): { readonly from: string; readonly at: string }[] {
  return Object.entries(hostDirectories).map(([name, at]) => ({ from: join(spec.state, 'fs', name), at }));
}

/** Where Kubernetes' programs want their files. They must exist on the machine too, as places to mount on; there they stay empty. */
export const hostDirectories = {
  kubelet: '/var/lib/kubelet',
  containerd: '/var/lib/containerd',
  cni: '/var/lib/cni',
  pods: '/var/log/pods',
  containers: '/var/log/containers',
} as const;

export function controlPlaneOf(spec: NodeSpec): ControlPlane {
  return {
    pki: pkiPaths(join(spec.state, 'pki')),
    state: spec.state,
    etcd: { clientPort: 2379, peerPort: 2380 },
    apiserver: { port: apiserverPort, bind: '0.0.0.0', advertise: spec.addresses.address },
    serviceRange: spec.addresses.serviceRange,
    light: false,
  };
}

/** Kubeconfig files of the programs inside the node. */
export function kubeconfigOf(spec: NodeSpec, user: 'admin' | 'controllers' | 'scheduler' | 'proxy' | 'kubelet'): string {
  return join(spec.state, `${user}.kubeconfig`);
}
