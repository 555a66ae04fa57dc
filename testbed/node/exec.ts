/** Commands inside a node's namespaces. */
import { spawn } from 'node:child_process';
import { TranshipError } from '../../src/errors.ts';
import type { BedCluster } from '../cluster/bed.ts';
import { isAlive } from '../cluster/process.ts';

export type ExecResult = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type ExecOptions = {
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
};

/**
 * Runs `argv` as root inside the node of a cluster and waits for its end; any exit code is an answer, not an error. Paths must be absolute: the
 * working directory is `/`. The files of this machine are there, at the same places.
 *
 * @example await nodeExec(bed.clusters.source, ['ls', '/var/lib/kubelet/pods'], { signal })
 */
export async function nodeExec(
  cluster: Pick<BedCluster, 'name' | 'process'>,
  argv: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  if (cluster.process === undefined || !isAlive(cluster.process)) {
    throw new TranshipError('NotFound', `The node of cluster ${cluster.name} does not run.`, { hint: 'Start the test bed: make testbed.' });
  }
  return execIn(cluster.process.pid, argv, options);
}

/** The same by the number of the node's first process. */
export function execIn(pid: number, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('nsenter', ['-t', String(pid), '-m', '-u', '-i', '-n', '-p', '-C', '--', ...argv], {
      // Own session: Ctrl-C on our terminal must not reach what is started inside.
      detached: true,
      env: { ...(options.env ?? process.env) },
      signal: options.signal,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined); // a program that ends without reading its input is no failure
    child.stdin.end(options.input ?? '');
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code: code ?? 128, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') });
    });
  });
}
