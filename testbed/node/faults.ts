/** For tests of faults: ends one program of a running node like a crash, and starts it again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import type { ClusterName, TestBed } from '../cluster/bed.ts';
import { Api, until } from './api.ts';
import { nodeExec } from './exec.ts';
import { readAccess } from './kubeconfig.ts';
import { pidFileOf, scriptOf } from './programs.ts';

/** Names of programs that can be stopped; csi-driver and the sidecars go by the same names as their logs. */
export type ProgramName =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'etcd'
  | 'csi-driver'
  | 'snapshot-controller';

/** SIGKILL to the program; returns when it is gone. Twice is fine. */
export async function stopProgram(bed: TestBed, name: ClusterName, program: ProgramName, signal: AbortSignal): Promise<void> {
  const pidFile = pidFileOf(join(bed.directory, 'state', name), program);
  const script = `pid=$(cat "$1") && kill -9 "$pid" 2>/dev/null; while [ -d "/proc/$pid" ]; do sleep 0.02; done; rm -f "$1"`;
  const done = await nodeExec(bed.clusters[name], ['/bin/sh', '-c', `[ -f "$1" ] || exit 0; ${script}`, 'sh', pidFile], { signal });
  if (done.code !== 0) throw new TranshipError('Internal', `${program} of ${name} could not be stopped: ${done.stderr.trim()}`);
}

/** Starts a stopped program; waits until it answers when it is the API server. */
export async function startProgram(bed: TestBed, name: ClusterName, program: ProgramName, signal: AbortSignal): Promise<void> {
  const state = join(bed.directory, 'state', name);
  const done = await nodeExec(
    bed.clusters[name],
    ['/bin/sh', '-c', '[ -f "$2" ] || . "$1"', 'sh', scriptOf(state, program), pidFileOf(state, program)],
    {
      signal,
    },
  );
  if (done.code !== 0) throw new TranshipError('Internal', `${program} of ${name} could not be started: ${done.stderr.trim()}`);
  if (program !== 'kube-apiserver') return;
  const api = new Api(readAccess(readFileSync(bed.kubeconfig, 'utf8'), name));
  try {
    await until(`/readyz of ${name}`, async () => (await api.call('GET', '/readyz', signal)).status === 200, signal);
  } finally {
    api.close();
  }
}
