/** Configuration files of kubelet, containerd and CNI. Pure; written to disk by `start.ts`. */
import { join } from 'node:path';
import { pkiPaths } from './pki.ts';
import type { NodeSpec } from './spec.ts';

/** JSON is YAML. The same file works for 1.34 and 1.36, with control groups of version 1 and 2. */
export function kubeletConfig(spec: NodeSpec): string {
  const pki = pkiPaths(join(spec.state, 'pki'));
  return JSON.stringify(
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      failCgroupV1: false,
      cgroupDriver: 'cgroupfs',
      cgroupsPerQOS: true,
      enforceNodeAllocatable: [],
      containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
      authentication: { x509: { clientCAFile: pki.ca }, anonymous: { enabled: false }, webhook: { enabled: true } },
      authorization: { mode: 'Webhook' },
      tlsCertFile: pki.kubeletServer,
      tlsPrivateKeyFile: pki.kubeletServerKey,
      clusterDNS: [spec.addresses.dns],
      clusterDomain: 'cluster.local',
      resolvConf: join(spec.state, 'resolv.conf'),
      volumePluginDir: join(spec.state, 'flex'),
      failSwapOn: false,
      oomScoreAdj: 0,
      maxOpenFiles: 20_000,
      serializeImagePulls: false,
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      // Images cannot be pulled again: never collect them.
      imageGCHighThresholdPercent: 100,
      imageGCLowThresholdPercent: 99,
    },
    undefined,
    2,
  );
}

export function containerdConfig(spec: NodeSpec, pauseImage: string): string {
  const unused = [
    ...['blockfile', 'btrfs', 'devmapper', 'erofs', 'zfs'].map((name) => `io.containerd.snapshotter.v1.${name}`),
    'io.containerd.nri.v1.nri',
    'io.containerd.tracing.processor.v1.otlp',
    'io.containerd.internal.v1.tracing',
  ];
  const runtime = 'plugins."io.containerd.cri.v1.runtime"';
  return `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ${JSON.stringify(unused)}
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = ${JSON.stringify(pauseImage)}
[${runtime}]
  # Without CAP_SYS_RESOURCE scores cannot be lowered.
  restrict_oom_score_adj = true
  [${runtime}.cni]
    bin_dirs = [${JSON.stringify(spec.pieces.cniDir)}]
    conf_dir = ${JSON.stringify(join(spec.state, 'cni'))}
  [${runtime}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [${runtime}.containerd.runtimes.runc.options]
      BinaryName = ${JSON.stringify(spec.pieces.runc)}
      SystemdCgroup = false
`;
}

export function cniConfig(podRange: string): string {
  return JSON.stringify(
    {
      cniVersion: '1.0.0',
      name: 'pod',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          ipMasq: true,
          hairpinMode: true,
          ipam: { type: 'host-local', ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }] },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    undefined,
    2,
  );
}
