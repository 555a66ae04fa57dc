/** The programs inside a node: started in batches from outside, then children of the node's first process. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import { checkoutPath } from '../cluster/bed.ts';
import { writeFlags } from '../csi/index.ts';
import { enterCgroupsScript } from './cgroups.ts';
import { execIn } from './exec.ts';
import { apiserverFlags, controllerManagerFlags, etcdFlags, schedulerFlags } from './flags.ts';
import { controlPlaneOf, kubeconfigOf, type NodeSpec } from './spec.ts';

export type Program = {
  readonly name: string;
  readonly argv: readonly string[];
  /** Started again whenever it ends, as a pod's container would be. */
  readonly restarts?: boolean;
};

export function controlPlanePrograms(spec: NodeSpec): Program[] {
  const plane = controlPlaneOf(spec);
  const { pieces } = spec;
  return [
    { name: 'etcd', argv: [pieces.etcd, ...etcdFlags(plane)] },
    { name: 'kube-apiserver', argv: [pieces.kubeApiserver, ...apiserverFlags(plane)] },
    { name: 'containerd', argv: [pieces.containerd, '--config', join(spec.state, 'containerd.toml'), '--log-level', 'warn'] },
    {
      name: 'kube-controller-manager',
      argv: [pieces.kubeControllerManager, ...controllerManagerFlags(plane, kubeconfigOf(spec, 'controllers'))],
    },
    { name: 'kube-scheduler', argv: [pieces.kubeScheduler, ...schedulerFlags(plane, kubeconfigOf(spec, 'scheduler'))] },
  ];
}

export function nodePrograms(spec: NodeSpec): Program[] {
  return [
    {
      name: 'kubelet',
      argv: [
        spec.pieces.kubelet,
        `--config=${join(spec.state, 'kubelet.yaml')}`,
        `--kubeconfig=${kubeconfigOf(spec, 'kubelet')}`,
        '--root-dir=/var/lib/kubelet',
        `--cert-dir=${join(spec.state, 'certs')}`,
        `--hostname-override=${spec.nodeName}`,
        `--node-ip=${spec.addresses.address}`,
        '--v=1',
      ],
    },
    {
      name: 'kube-proxy',
      argv: [
        spec.pieces.kubeProxy,
        '--proxy-mode=iptables',
        `--cluster-cidr=${spec.addresses.podRange}`,
        `--kubeconfig=${kubeconfigOf(spec, 'proxy')}`,
        `--hostname-override=${spec.nodeName}`,
        '--conntrack-max-per-core=0',
        '--conntrack-tcp-timeout-established=0',
        '--conntrack-tcp-timeout-close-wait=0',
        '--oom-score-adj=0',
        '--nodeport-addresses=0.0.0.0/0',
      ],
    },
  ];
}

/**
 * One driver process for all drivers, and the sidecars, which speak to one driver each and end when they lose it: like the containers of a
 * driver's pod they are started again.
 */
export function storagePrograms(spec: NodeSpec): Program[] {
  const kubeconfig = `--kubeconfig=${kubeconfigOf(spec, 'admin')}`;
  return [
    {
      name: 'csi-driver',
      argv: [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        join(checkoutPath(), 'testbed', 'csi', 'main.ts'),
        ...writeFlags({
          drivers: spec.drivers.map(({ name, medium }) => ({ name, medium })),
          nodeId: spec.nodeName,
          stateDir: join(spec.state, 'csi'),
          kubeletRoot: '/var/lib/kubelet',
          proto: spec.pieces.csiProto,
        }),
      ],
    },
    ...spec.drivers.flatMap(({ name }): Program[] => {
      const socket = `--csi-address=/var/lib/kubelet/plugins/${name}/csi.sock`;
      const word = name.split('.')[0] ?? name;
      return [
        {
          name: `csi-provisioner-${word}`,
          argv: [spec.pieces.csiProvisioner, socket, kubeconfig, '--extra-create-metadata', '--feature-gates=Topology=true'],
          restarts: true,
        },
        {
          name: `csi-snapshotter-${word}`,
          argv: [spec.pieces.csiSnapshotter, socket, kubeconfig, '--extra-create-metadata', groupSnapshots],
          restarts: true,
        },
      ];
    }),
    { name: 'snapshot-controller', argv: [spec.pieces.snapshotController, kubeconfig, groupSnapshots] },
  ];
}

const groupSnapshots = '--feature-gates=CSIVolumeGroupSnapshot=true';

/** Starts them all and returns at once. Each gets a script in `state/programs`, by which it can be started again. */
export async function startPrograms(spec: NodeSpec, pid: number, programs: readonly Program[], signal: AbortSignal): Promise<void> {
  await mkdir(join(spec.state, 'programs'), { recursive: true });
  await mkdir(spec.logs, { recursive: true });
  for (const program of programs) await writeFile(scriptOf(spec.state, program.name), startScript(spec, program));
  const all = programs.map(({ name }) => `/bin/sh ${quote(scriptOf(spec.state, name))}`).join(' && ');
  const done = await execIn(pid, ['/bin/sh', '-c', all], { signal, env: spec.pieces.env });
  if (done.code === 0) return;
  throw new TranshipError('Internal', `Programs of ${spec.nodeName} could not be started: ${done.stderr.trim()}`);
}

export function scriptOf(state: string, name: string): string {
  return join(state, 'programs', `${name}.sh`);
}

/** The number of a program's process as the node sees it. */
export function pidFileOf(state: string, name: string): string {
  return join(state, 'programs', `${name}.pid`);
}

export function startScript(spec: NodeSpec, { name, argv, restarts = false }: Program): string {
  const command = `${argv.map(quote).join(' ')} </dev/null >>${quote(join(spec.logs, `${name}.log`))} 2>&1`;
  return [
    'set -e',
    ...Object.entries(spec.pieces.env).map(([variable, value]) => `export ${variable}=${quote(value)}`),
    enterCgroupsScript(spec.cgroups),
    restarts ? `{ ${again(command)}; } </dev/null >/dev/null 2>&1 &` : `${command} &`,
    `echo $! > ${quote(pidFileOf(spec.state, name))}`,
    '',
  ].join('\n');
}

/** For ever, with pauses from 1 s, doubled up to 8 s, and from 1 s again after half a minute without an end. */
function again(command: string): string {
  const once = `begun=$(date +%s); ${command} || :; [ $(($(date +%s) - begun)) -lt 30 ] || pause=1`;
  return `pause=1; while :; do ${once}; sleep $pause; pause=$((pause < 8 ? pause * 2 : 8)); done`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
