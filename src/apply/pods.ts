/** The pods of a workload, and whether they stay up. */
import { byText, fieldAt, find, listOf, recordOf, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import { resources, type KubeClient } from '../kube/index.ts';

/**
 * A container without a readiness probe is ready from its start to its crash, again and again. After a restart it has to run this long
 * before we believe it; one that was never restarted is believed at once.
 */
const STEADY_MS = 10_000;

/** The pods that a workload's selector finds, by name; a pod is its own. */
export async function podsOf(client: KubeClient, workload: KubeObject, signal: AbortSignal): Promise<KubeObject[]> {
  if (workload.kind === 'Pod') return [workload];
  const selector = recordOf(fieldAt(workload, 'spec', 'selector'));
  // A ReplicationController's selector is the labels themselves.
  const labels = workload.kind === 'ReplicationController' ? selector : recordOf(selector['matchLabels']);
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${textOf(value) ?? ''}`)
    .join(',');
  const { namespace = '' } = workload.metadata;
  const pods: KubeObject[] = [];
  for await (const pod of client.list(resources.pods, { namespace, labelSelector, signal })) pods.push(pod);
  return pods.toSorted((a, b) => byText(a.metadata.name, b.metadata.name));
}

/** Pure: a container of the pod that was restarted and does not run steadily since. Undefined when there is none. */
export function restarting(pod: KubeObject, now = Date.now()): string | undefined {
  for (const { value } of find(pod, 'status.containerStatuses[*]')) {
    const restarts = fieldAt(value, 'restartCount');
    if (typeof restarts !== 'number' || restarts === 0) continue;
    const since = Date.parse(textOf(fieldAt(value, 'state', 'running', 'startedAt')) ?? '');
    if (!Number.isNaN(since) && now - since >= STEADY_MS) continue;
    return `container ${textOf(fieldAt(value, 'name')) ?? ''} of pod ${pod.metadata.name} restarted ${restarts} times`;
  }
  return undefined;
}

/** Pure: ready, and not between two crashes. */
export function isSettled(pod: KubeObject): boolean {
  const ready = listOf(fieldAt(pod, 'status', 'conditions')).some(
    (condition) => fieldAt(condition, 'type') === 'Ready' && fieldAt(condition, 'status') === 'True',
  );
  return ready && restarting(pod) === undefined;
}
