/** What every mover of a migration is started with and told. */
import type { PlannedVolume } from '../api/plan.ts';
import { sentenceOf } from '../errors.ts';
import type { KubeClient } from '../kube/index.ts';
import { warmUp, type MoverPod, type WarmSession } from '../volumes/index.ts';
import { markOf } from './mark.ts';
import type { Run } from './state.ts';

/** Everything of a mover pod but its place and its claim. */
export function moverRequest(run: Run, volume: PlannedVolume, signal: AbortSignal) {
  const { spec } = run.migration;
  return {
    migration: markOf(run.migration),
    mode: volume.source.mode,
    image: spec.transfer.moverImage,
    timeoutMs: spec.timeouts.moverStartSeconds * 1000,
    signal,
  };
}

/** The archive as a mover reaches it. Holds the key: goes to the mover's standard input and nowhere else. */
export function access(run: Run) {
  // A directory of the host that runs us cannot be reached from a pod: the mover asks us, over its channel.
  const location = run.locationSpec.kind === 'directory' ? { kind: 'relay' as const, url: run.location.url } : run.locationSpec;
  return { location, lineage: run.archive.lineage, key: run.key };
}

export function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1);
}

/** Loads a mover in the pod, for the next job there. A mover that cannot be loaded now is loaded when it is needed. */
export async function keepWarm(run: Run, client: KubeClient, pod: MoverPod): Promise<void> {
  try {
    run.warm.set(keyOf(pod), await warmUp(client, pod, run.signal));
  } catch (error) {
    run.signal.throwIfAborted();
    run.log('info', `no mover could be loaded ahead in ${pod.namespace}/${pod.name}: ${sentenceOf(error)}`);
  }
}

/** The waiting mover of this pod, if there is one; it does one job. */
export function takeWarm(run: Run, pod: MoverPod): WarmSession | undefined {
  const warm = run.warm.get(keyOf(pod));
  run.warm.delete(keyOf(pod));
  return warm;
}

/** Pods of both clusters have different names: movers that read end in -out, -live or -direct, those that write in -in. */
function keyOf(pod: MoverPod): string {
  return `${pod.namespace}/${pod.name}`;
}
