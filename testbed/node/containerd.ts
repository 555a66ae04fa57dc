/** containerd inside a node: when it answers, and what images it has. */
import { TranshipError } from '../../src/errors.ts';
import { until } from './api.ts';
import { execIn } from './exec.ts';
import type { NodeSpec } from './spec.ts';

type Node = Pick<NodeSpec, 'nodeName'> & { readonly pieces: Pick<NodeSpec['pieces'], 'ctr' | 'env'> };

const socket = '/run/containerd/containerd.sock';

export async function waitForContainerd(node: Node, pid: number, signal: AbortSignal): Promise<void> {
  const answers = async (): Promise<boolean> => {
    const argv = ['sh', '-c', `[ -S ${socket} ] && exec "$0" --address ${socket} version`, node.pieces.ctr];
    return (await execIn(pid, argv, { signal, env: node.pieces.env })).code === 0;
  };
  await until(`containerd of ${node.nodeName}`, answers, signal, 180_000);
}

/** Imports OCI tars one after the other (absolute paths): unpacking takes all of a core. */
export async function importImages(node: Node, pid: number, tars: readonly string[], signal: AbortSignal): Promise<void> {
  for (const tar of tars) {
    const argv = [node.pieces.ctr, '--address', socket, '--namespace', 'k8s.io', 'images', 'import', '--digests', tar];
    const done = await execIn(pid, argv, { signal, env: node.pieces.env });
    if (done.code === 0) continue;
    throw new TranshipError('Internal', `The image ${tar} could not be imported into ${node.nodeName}: ${done.stderr.trim()}`);
  }
}
