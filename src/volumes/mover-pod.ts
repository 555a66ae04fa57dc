/** The pod that a mover runs in. It idles; every piece of work is one exec (see mover/protocol.ts), so no secret is stored in the cluster. */
import type { KubeObject } from '../api/object.ts';
import { sentenceOf, TranshipError } from '../errors.ts';
import { kubeDetails, resources, type KubeClient } from '../kube/index.ts';
import { createOrGet } from './create.ts';
import { isOurs } from './marks.ts';
import { moverLabels, moverManifest, pathOf, rightsText, type MoverPlace } from './mover-manifest.ts';
import { openNetwork } from './mover-network.ts';
import { removeExactly, waitGone } from './remove.ts';
import { waitFor } from './wait.ts';

export interface MoverPod {
  namespace: string;
  name: string;
  mode: 'Filesystem' | 'Block';
  /** Directory or device inside the pod. */
  path: string;
}

export interface MoverPodRequest extends MoverPlace {
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Creates the pod, or goes on with the one that is there, and waits until it runs. A dead pod of an earlier run is replaced.
 * @throws Forbidden when a policy of the cluster does not take such a pod there
 */
export async function startMover(client: KubeClient, want: MoverPodRequest): Promise<MoverPod> {
  const { namespace, name, signal } = want;
  const there = await client.get(resources.pods, name, namespace, { signal });
  if (there !== undefined && (isOver(there) || there.metadata.deletionTimestamp !== undefined))
    await removeMover(client, namespace, name, signal, want.migration);
  await openNetwork(client, want, signal);
  try {
    await createOrGet(client, resources.pods, moverManifest(want), signal);
  } catch (error) {
    throw refusal(client, want, error);
  }
  await waitFor(
    async () => {
      const pod = await client.get(resources.pods, name, namespace, { signal });
      if (pod === undefined)
        throw new TranshipError('NotFound', `Mover pod ${namespace}/${name} on ${client.name} was removed while it started.`);
      const problem = hopeless(pod);
      if (problem !== undefined)
        throw new TranshipError('Unsupported', `Mover pod ${namespace}/${name} on ${client.name} cannot start: ${problem}.`, {
          hint: 'Is the image there? --mover-image names another one.',
        });
      return isReady(pod) ? pod : undefined;
    },
    {
      what: `Mover pod ${namespace}/${name} on ${client.name} did not start`,
      timeoutMs: want.timeoutMs,
      signal,
      diagnose: () => diagnosePod(client, namespace, name, signal),
    },
  );
  return { namespace, name, mode: want.mode, path: pathOf(want.mode) };
}

/** A refused pod in words: where, by whom, and what would have to be let pass. */
function refusal(client: KubeClient, want: MoverPodRequest, error: unknown): unknown {
  // Pod Security, a webhook, a ValidatingAdmissionPolicy: each refuses with a status of its own.
  if (!/violates PodSecurity|denied the request|denied request/.test(sentenceOf(error))) return error;
  const hint = sentenceOf(error).includes('violates PodSecurity')
    ? `Let namespace ${want.namespace} take it: kubectl label namespace ${want.namespace} pod-security.kubernetes.io/enforce=baseline --overwrite`
    : `Exempt pods with the label app.kubernetes.io/component=mover in namespace ${want.namespace} from that policy.`;
  const message = `Namespace ${want.namespace} on ${client.name} does not take a mover (${rightsText(want)}): ${sentenceOf(error)}`;
  return new TranshipError('Forbidden', message, { hint, cause: error, details: kubeDetails(error) });
}

/**
 * Ends the pod and waits until it is gone: only then may its volume be used by others.
 * @param migration when given, a pod of that name that is not this migration's is left alone and not waited for
 */
export async function removeMover(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
  migration?: string,
): Promise<void> {
  const pod = await client.get(resources.pods, name, namespace, { signal });
  if (pod === undefined || (migration !== undefined && !isOurs(pod, migration))) return;
  await endPods(client, [pod], signal);
}

/** Ends all movers of a migration in a namespace, whatever their names, and waits until they are gone. */
export async function removeMovers(client: KubeClient, namespace: string, migration: string, signal: AbortSignal): Promise<void> {
  const labelSelector = Object.entries(moverLabels(migration))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const pods: KubeObject[] = [];
  for await (const pod of client.list(resources.pods, { namespace, labelSelector, signal })) pods.push(pod);
  await endPods(client, pods, signal);
}

async function endPods(client: KubeClient, pods: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  for (const pod of pods) await removeExactly(client, resources.pods, pod, { signal, gracePeriodSeconds: 1 });
  for (const pod of pods) {
    const what = `Mover pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name} on ${client.name} did not end`;
    await waitGone(client, resources.pods, pod, { what, timeoutMs: 120_000, signal, intervalMs: 100 });
  }
}

interface PodStatus {
  phase?: string;
  conditions?: { type: string; status: string; message?: string }[];
  containerStatuses?: { ready: boolean; state?: { waiting?: { reason?: string; message?: string } } }[];
}

function statusOf(pod: KubeObject): PodStatus {
  return pod['status'] ?? {};
}

function isOver(pod: KubeObject): boolean {
  const phase = statusOf(pod).phase;
  return phase === 'Failed' || phase === 'Succeeded';
}

function isReady(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp === undefined && statusOf(pod).containerStatuses?.[0]?.ready === true;
}

/** States that more waiting does not mend. */
function hopeless(pod: KubeObject): string | undefined {
  if (isOver(pod)) return 'it ended at once';
  const waiting = statusOf(pod).containerStatuses?.[0]?.state?.waiting;
  const fatal = [
    'ErrImageNeverPull',
    'InvalidImageName',
    'ImagePullBackOff',
    'CreateContainerConfigError',
    'RunContainerError',
    'CreateContainerError',
  ];
  return waiting?.reason !== undefined && fatal.includes(waiting.reason) ? `${waiting.reason}: ${waiting.message ?? ''}`.trim() : undefined;
}

/** Container state, conditions and the latest events, in one line. */
async function diagnosePod(client: KubeClient, namespace: string, name: string, signal: AbortSignal): Promise<string> {
  const pod = await client.get(resources.pods, name, namespace, { signal });
  const facts: string[] = [];
  if (pod !== undefined) {
    const status = statusOf(pod);
    const waiting = status.containerStatuses?.[0]?.state?.waiting;
    if (waiting !== undefined) facts.push(`${waiting.reason ?? 'waiting'} ${waiting.message ?? ''}`.trim());
    for (const condition of status.conditions ?? [])
      if (condition.status === 'False' && condition.message !== undefined) facts.push(condition.message);
  }
  const events: string[] = [];
  for await (const event of client.list(resources.events, { namespace, fieldSelector: `involvedObject.name=${name}`, signal })) {
    if (event['type'] === 'Warning') events.push(String(event['message']));
  }
  return [...new Set([...facts, ...events.slice(-2)])].join('; ');
}
