/**
 * Pure: a workload that will not start however long we wait, and whether anything of it was ever started. The second question decides whether
 * the source may be started again by itself, so that it is only answered with no when it is certain.
 */
import { fieldAt, find, listOf, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';

/** What the kubelet waits for and will go on waiting for: an image that it can't get, or configuration that is not there. */
const STUCK: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'CreateContainerConfigError',
]);

/** Refusals of pods that pass by themselves: the webhook's own pods start, the quota is counted. */
const PASSING =
  /failed calling webhook|status unknown for quota|error looking up service account|timed? ?out|deadline exceeded|etcdserver/i;

const STATUSES = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'];

function containers(pod: KubeObject): unknown[] {
  return STATUSES.flatMap((list) => find(pod, `status.${list}[*]`).map(({ value }) => value));
}

/** Was any container of the pod ever started, init containers included? One that has ended has run. */
export function hasStarted(pod: KubeObject): boolean {
  return containers(pod).some((container) => {
    const restarts = fieldAt(container, 'restartCount');
    return (
      fieldAt(container, 'started') === true ||
      ['running', 'terminated'].some((state) => fieldAt(container, 'state', state) !== undefined) ||
      fieldAt(container, 'lastState', 'terminated') !== undefined ||
      (typeof restarts === 'number' && restarts > 0)
    );
  });
}

/** The reason by which a pod can't start: of the first container that is stuck. */
export function stuckReason(pod: KubeObject): string | undefined {
  return containers(pod)
    .map((container) => textOf(fieldAt(container, 'state', 'waiting', 'reason')))
    .find((reason) => reason !== undefined && STUCK.has(reason));
}

/** Is a workload's message about pods that it could not create an answer that will stay? */
export function isLastingRefusal(message: string): boolean {
  return message !== '' && !PASSING.test(message);
}

/** Why a Deployment, ReplicaSet or ReplicationController could not create its pods, in its own status. */
export function refusedByStatus(workload: KubeObject): boolean {
  return listOf(fieldAt(workload, 'status', 'conditions')).some(
    (condition) =>
      fieldAt(condition, 'type') === 'ReplicaFailure' &&
      fieldAt(condition, 'status') === 'True' &&
      fieldAt(condition, 'reason') === 'FailedCreate' &&
      isLastingRefusal(textOf(fieldAt(condition, 'message')) ?? ''),
  );
}

/** A controller repeats what it can't do: an event that is older than this tells of an earlier try. */
const FRESH_MS = 60_000;

/** The same from a controller's events, for StatefulSets and DaemonSets, which have no such condition. */
export function refusedByEvents(events: readonly KubeObject[], now = Date.now()): boolean {
  return events.some((event) => {
    if (event['reason'] !== 'FailedCreate' || !isLastingRefusal(textOf(event['message']) ?? '')) return false;
    const last = textOf(fieldAt(event, 'series', 'lastObservedTime')) ?? textOf(event['lastTimestamp']) ?? textOf(event['eventTime']);
    return Math.abs(now - Date.parse(last ?? '')) < FRESH_MS;
  });
}

/**
 * Will this workload not start? `refused`: its controller could not create pods.
 * @param pods the pods of the workload
 */
export function isHopeless(pods: readonly KubeObject[], refused: boolean): boolean {
  if (pods.some(hasStarted)) return false;
  const waiting = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  return waiting.length === 0 ? refused : waiting.every((pod) => stuckReason(pod) !== undefined);
}
