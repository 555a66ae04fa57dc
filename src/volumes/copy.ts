/** Runs one mover job in a mover pod, over an exec. */
import { TranshipError } from '../errors.ts';
import type { ExecSession, KubeClient } from '../kube/index.ts';
import type { Location } from '../location/index.ts';
import { moverCommand, runMover, type MoverJob, type MoverResult, type Progress } from '../mover/index.ts';
import type { MoverPod } from './mover-pod.ts';

/** A mover that is loaded and waits for its job: opened before the seconds count. */
export interface WarmSession {
  session: ExecSession;
  /** The pod or the connection went away meanwhile. */
  ended: boolean;
}

export interface RunInPodOptions {
  /** Serves the verbs for a mover that cannot reach the store itself (relay); unused otherwise. */
  location: Location;
  signal: AbortSignal;
  onProgress?(progress: Progress): void;
  /** Used up by this job. */
  warm?: WarmSession | undefined;
}

/** @throws TranshipError of the mover, with `details.paths` when paths could not be carried */
export async function runInPod(client: KubeClient, pod: MoverPod, job: MoverJob, options: RunInPodOptions): Promise<MoverResult> {
  const { warm } = options;
  if (warm !== undefined && !warm.ended) {
    try {
      return await runSession(warm.session, job, options);
    } catch (error) {
      // The waiting session was lost just now: jobs can be run again, so a new one is opened.
      if (!(error instanceof TranshipError) || error.code !== 'Unreachable') throw error;
    }
  }
  return await runSession(await openSession(client, pod, options.signal), job, options);
}

/** Loads a mover in the pod. It waits, quietly, until it gets its job. */
export async function warmUp(client: KubeClient, pod: MoverPod, signal: AbortSignal): Promise<WarmSession> {
  const session = await openSession(client, pod, signal);
  const warm: WarmSession = { session, ended: false };
  const end = (): void => {
    warm.ended = true;
  };
  session.exit.then(end, end);
  return warm;
}

async function openSession(client: KubeClient, pod: MoverPod, signal: AbortSignal): Promise<ExecSession> {
  const command = moverCommand('/app/mover.mjs');
  return await client.exec({ namespace: pod.namespace, pod: pod.name, container: 'mover', command, stdin: true }, { signal });
}

async function runSession(session: ExecSession, job: MoverJob, options: RunInPodOptions): Promise<MoverResult> {
  try {
    return await runMover({ stdin: session.stdin, stdout: session.stdout, stderr: session.stderr }, job, options);
  } finally {
    session.close();
  }
}
