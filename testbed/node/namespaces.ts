/**
 * A node is a set of namespaces (mount, network, process, host name, IPC, control groups) held by one first process. Killing that process
 * ends everything in them. The network namespace has no name in /run/netns, so nothing of it can stay behind.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import type { Ledger, ProcessId } from '../cluster/ledger.ts';
import { childrenOf, isAlive, startRecorded, startTimeOf } from '../cluster/process.ts';
import { until } from './api.ts';
import { makeCgroups, mountCgroupsScript, programsGroup } from './cgroups.ts';
import { tail } from './logs.ts';
import { interfaceOf, linkNode } from './network.ts';
import { mountPoints, type NodeSpec } from './spec.ts';

/** First lines of the node's life. As PID 1 the shell then collects orphans (of containerd's shims) for ever. */
export function firstProcessScript(spec: NodeSpec): string {
  return [
    'set -eu',
    `echo ${spec.nodeName} > /proc/sys/kernel/hostname`,
    // Nothing mounted in here may be seen outside; everything in here may be seen by pods.
    'mount --make-rprivate /',
    'mount --make-rshared /',
    'umount -R /sys/fs/cgroup',
    'mount -t sysfs sysfs /sys',
    ...mountCgroupsScript(spec.cgroups),
    'mount -t tmpfs -o mode=755 tmpfs /run',
    'mkdir /run/lock /run/netns',
    ...mountPoints(spec).map(({ from, at }) => `mount --bind "${from}" "${at}"`),
    'mount --make-rshared /',
    `: > "${readyFile(spec)}"`,
    'while :; do sleep 2147483 & wait $!; done',
  ].join('\n');
}

function readyFile(spec: NodeSpec): string {
  return join(spec.state, 'mounted');
}

/** Makes the namespaces and the link to the bed's bridge. Returns the first process. */
export async function makeNamespaces(ledger: Ledger, spec: NodeSpec, signal: AbortSignal): Promise<ProcessId> {
  for (const { from } of mountPoints(spec)) await mkdir(from, { recursive: true });
  const script = join(spec.state, 'first-process.sh');
  await writeFile(script, firstProcessScript(spec));
  const groups = makeCgroups(ledger, spec.cgroups, `tranship-${spec.bedId}-${spec.name}`);
  ledger.write({ kind: 'link', name: interfaceOf(spec.bedId, spec.name) });
  const log = join(spec.logs, 'first-process.log');
  const holder = startRecorded(ledger, {
    what: `node-${spec.name}`,
    argv: ['unshare', '-m', '-n', '-p', '-u', '-i', '-C', '--fork', '--kill-child', '--mount-proc', '/bin/sh', script],
    env: spec.pieces.env,
    log,
    cgroups: groups,
  });
  const failed = (): TranshipError =>
    new TranshipError('Internal', `The namespaces of ${spec.nodeName} could not be made: ${tail(log)}`, { hint: `The log is ${log}.` });
  await until(
    `The first process of ${spec.nodeName}`,
    async () => {
      if (!isAlive(holder)) throw failed();
      // Version 2: the group's root must hold nobody before controllers can be given to groups below it.
      const inner = join(groups[0] ?? '', programsGroup);
      if (spec.cgroups.version === 2 && existsSync(inner)) writeFileSync(join(inner, 'cgroup.procs'), String(holder.pid));
      return existsSync(readyFile(spec));
    },
    signal,
    30_000,
  );
  const [pid] = childrenOf(holder.pid);
  const started = pid === undefined ? undefined : startTimeOf(pid);
  if (pid === undefined || started === undefined) throw failed();
  linkNode(spec, pid);
  return { pid, started };
}
