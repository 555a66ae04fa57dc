/** Why a workload does not become ready, in the words of its pods, claims and events. Best effort: a diagnosis never fails the caller. */
import { byText, fieldAt, find, listOf, textOf } from '../api/fields.ts';
import { refText, type KubeObject, type ObjectRef } from '../api/object.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { isSettled, podsOf } from './pods.ts';

const LOG_LINES = 5;
const EVENTS = 3;
const PODS = 3;

/** Facts about a workload that is not ready, the most telling first. */
export async function diagnose(
  client: KubeClient,
  ref: ObjectRef,
  workload: KubeObject | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  if (workload === undefined) return [`${refText(ref)} does not exist.`];
  const namespace = ref.namespace ?? '';
  try {
    const pods = (await podsOf(client, workload, signal)).filter((pod) => !isSettled(pod));
    if (pods.length === 0) return [`It has no pods that wait.`, ...(await eventsOf(client, namespace, ref.name, signal))];
    const facts = await Promise.all(pods.slice(0, PODS).map(async (pod) => await diagnosePod(client, pod, namespace, signal)));
    return facts.flat();
  } catch (error) {
    if (signal.aborted) throw error;
    return ['Its pods and events could not be read.'];
  }
}

async function diagnosePod(client: KubeClient, pod: KubeObject, namespace: string, signal: AbortSignal): Promise<string[]> {
  const name = pod.metadata.name;
  const facts: string[] = [];
  for (const condition of listOf(fieldAt(pod, 'status', 'conditions'))) {
    if (fieldAt(condition, 'type') === 'PodScheduled' && fieldAt(condition, 'status') === 'False') {
      facts.push(`Pod ${name} is not scheduled: ${textOf(fieldAt(condition, 'message')) ?? ''}`);
    }
  }
  facts.push(...(await claimFacts(client, pod, namespace, signal)));
  for (const hit of [...find(pod, 'status.initContainerStatuses[*]'), ...find(pod, 'status.containerStatuses[*]')]) {
    facts.push(...(await containerFacts(client, pod, hit.value, namespace, signal)));
  }
  facts.push(...(await eventsOf(client, namespace, name, signal)));
  return facts.length > 0 ? facts : [`Pod ${name} is ${textOf(fieldAt(pod, 'status', 'phase')) ?? 'not started'}.`];
}

async function containerFacts(
  client: KubeClient,
  pod: KubeObject,
  container: unknown,
  namespace: string,
  signal: AbortSignal,
): Promise<string[]> {
  const name = textOf(fieldAt(container, 'name')) ?? '';
  const reason = textOf(fieldAt(container, 'state', 'waiting', 'reason'));
  const where = `Container ${name} of pod ${pod.metadata.name}`;
  if (reason !== undefined && /image/i.test(reason)) {
    return [
      `${where}: ${reason}, image ${textOf(fieldAt(container, 'image')) ?? '?'}: ${textOf(fieldAt(container, 'state', 'waiting', 'message')) ?? ''}`,
    ];
  }
  if (reason === 'CrashLoopBackOff' || fieldAt(container, 'state', 'terminated') !== undefined) {
    const ended = fieldAt(container, 'lastState', 'terminated') ?? fieldAt(container, 'state', 'terminated');
    const exit = `exit code ${JSON.stringify(fieldAt(ended, 'exitCode') ?? '?')} (${textOf(fieldAt(ended, 'reason')) ?? 'unknown'})`;
    if (fieldAt(ended, 'exitCode') === 0) return [];
    return [
      `${where} ended with ${exit}, ${JSON.stringify(fieldAt(container, 'restartCount') ?? 0)} restarts.`,
      ...(await lastLines(client, pod, name, namespace, signal)),
    ];
  }
  return reason === undefined || reason === 'PodInitializing' || reason === 'ContainerCreating'
    ? []
    : [`${where}: ${reason}: ${textOf(fieldAt(container, 'state', 'waiting', 'message')) ?? ''}`];
}

async function lastLines(
  client: KubeClient,
  pod: KubeObject,
  container: string,
  namespace: string,
  signal: AbortSignal,
): Promise<string[]> {
  for (const previous of [true, false]) {
    try {
      const text = await client.logs({ namespace, pod: pod.metadata.name, container, tailLines: LOG_LINES, previous }, { signal });
      // The kubelet answers so, with 200, for a container that it has removed meanwhile.
      if (text.startsWith('unable to retrieve container logs')) continue;
      if (text.trim() !== '')
        return text
          .trim()
          .split('\n')
          .map((line) => `  | ${line}`);
    } catch {
      // gone or never written: then there are no lines to show
    }
  }
  return [];
}

async function claimFacts(client: KubeClient, pod: KubeObject, namespace: string, signal: AbortSignal): Promise<string[]> {
  const facts: string[] = [];
  for (const hit of find(pod, 'spec.volumes[*].persistentVolumeClaim.claimName')) {
    const name = textOf(hit.value) ?? '';
    const claim = await client.get(resources.persistentVolumeClaims, name, namespace, { signal });
    if (claim === undefined) facts.push(`Claim ${name} does not exist.`);
    else if (fieldAt(claim, 'status', 'phase') !== 'Bound') {
      facts.push(
        `Claim ${name} is ${textOf(fieldAt(claim, 'status', 'phase')) ?? 'Pending'}.`,
        ...(await eventsOf(client, namespace, name, signal)),
      );
    }
  }
  return facts;
}

async function eventsOf(client: KubeClient, namespace: string, name: string, signal: AbortSignal): Promise<string[]> {
  const events: KubeObject[] = [];
  for await (const event of client.list(resources.events, {
    namespace,
    fieldSelector: `involvedObject.name=${name},type=Warning`,
    signal,
  })) {
    events.push(event);
  }
  const time = (event: KubeObject) => textOf(event.lastTimestamp) ?? textOf(event.eventTime) ?? '';
  return events
    .toSorted((a, b) => byText(time(a), time(b)))
    .slice(-EVENTS)
    .map((event) => `Event of ${name}: ${textOf(event.reason) ?? ''}: ${textOf(event.message) ?? ''}`);
}
