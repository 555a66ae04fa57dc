/**
 * Stopping and starting the application. What starts things again is written down first: in our status, and on the object itself, so that
 * a person without our hub can see and undo it.
 */
import type { Captured } from '../api/captured.ts';
import { frozenByAnnotation, replicasAnnotation } from '../api/meta.ts';
import type { MigrationStatus } from '../api/migration.ts';
import type { KubeObject } from '../api/object.ts';
import { mustStop } from '../capture/index.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { waitFor } from '../volumes/index.ts';

export type Frozen = MigrationStatus['frozen'][number];

/** How each kind that starts pods is stopped: the field, and its value when stopped. */
const stoppable: Record<string, { resource: Resource; field: string; stopped: unknown }> = {
  Deployment: { resource: resources.deployments, field: 'replicas', stopped: 0 },
  StatefulSet: { resource: resources.statefulSets, field: 'replicas', stopped: 0 },
  ReplicaSet: { resource: resources.replicaSets, field: 'replicas', stopped: 0 },
  ReplicationController: { resource: resources.replicationControllers, field: 'replicas', stopped: 0 },
  CronJob: { resource: resources.cronJobs, field: 'suspend', stopped: true },
  Job: { resource: resources.jobs, field: 'suspend', stopped: true },
  DaemonSet: { resource: resources.daemonSets, field: 'nodeSelector', stopped: { 'tranship.io/frozen': 'true' } },
};

/** What is to be stopped in a namespace, as the cluster says now, with what it had. */
export async function stoppableIn(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Frozen[]> {
  const found: Frozen[] = [];
  for (const [kind, { resource }] of Object.entries(stoppable)) {
    for await (const object of client.list(resource, { namespace, signal })) {
      // Items of a list do not name their kind.
      const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
      if (object.metadata.labels?.['tranship.io/exclude'] === 'true') continue;
      const frozen = frozenOf({ ...object, apiVersion, kind });
      if (frozen !== undefined) found.push(frozen);
    }
  }
  return found;
}

/**
 * The record of one workload, or undefined when it is not ours to stop: its controller stops it, or it has ended. A Job is stopped
 * also when a CronJob made it: between two tries it has no pod that anybody could wait for.
 */
export function frozenOf(object: KubeObject): Frozen | undefined {
  const { kind, metadata } = object;
  const group = object.apiVersion.includes('/') ? object.apiVersion.slice(0, object.apiVersion.indexOf('/')) : '';
  // Other groups have kinds of the same names, such as the StatefulSets of OpenKruise.
  if (stoppable[kind]?.resource.group !== group || object.metadata.deletionTimestamp !== undefined) return undefined;
  if (kind === 'Job' ? hasEnded(object) : hasController(object)) return undefined;
  const before = metadata.annotations?.[replicasAnnotation] ?? JSON.stringify(fieldOf(object));
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name, before };
}

function hasEnded(job: KubeObject): boolean {
  const conditions = (job['status'] as { conditions?: { type: string; status: string }[] } | undefined)?.conditions ?? [];
  return conditions.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
}

function hasController(object: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some((owner) => owner.controller === true);
}

/** The value that brings the object back: null removes the field again (merge patch). */
function fieldOf(object: KubeObject): unknown {
  const spec = (object['spec'] ?? {}) as Record<string, unknown>;
  if (object.kind === 'DaemonSet') {
    const template = spec['template'] as { spec?: { nodeSelector?: Record<string, string> } } | undefined;
    return template?.spec?.nodeSelector?.['tranship.io/frozen'] ?? null;
  }
  const field = stoppable[object.kind]?.field ?? 'replicas';
  return spec[field] ?? (field === 'replicas' ? 1 : false);
}

function patchOf(kind: string, value: unknown): object {
  if (kind !== 'DaemonSet') return { [stoppable[kind]?.field ?? 'replicas']: value };
  return { template: { spec: { nodeSelector: value === null ? { 'tranship.io/frozen': null } : value } } };
}

/** A workload that was deleted meanwhile is left alone, here and below. */
export async function stopWorkload(client: KubeClient, frozen: Frozen, mark: string, signal: AbortSignal): Promise<void> {
  const annotations = { [replicasAnnotation]: frozen.before, [frozenByAnnotation]: mark };
  await patchWorkload(client, frozen, annotations, stoppable[frozen.kind]?.stopped, signal);
}

/** Starts it as it was. */
export async function startWorkload(client: KubeClient, frozen: Frozen, signal: AbortSignal): Promise<void> {
  const annotations = { [replicasAnnotation]: null, [frozenByAnnotation]: null };
  await patchWorkload(client, frozen, annotations, JSON.parse(frozen.before) as unknown, signal);
}

async function patchWorkload(client: KubeClient, frozen: Frozen, annotations: object, value: unknown, signal: AbortSignal): Promise<void> {
  const resource = stoppable[frozen.kind]?.resource;
  if (resource === undefined || (await client.get(resource, frozen.name, frozen.namespace, { signal })) === undefined) return;
  const body = { metadata: { annotations }, spec: patchOf(frozen.kind, value) };
  await client.patch(resource, frozen.name, frozen.namespace, { type: 'merge', body }, { signal });
}

/** Is it stopped, and by this migration? What was deleted is stopped for good. */
export async function isStopped(client: KubeClient, frozen: Frozen, mark: string, signal: AbortSignal): Promise<boolean> {
  const rule = stoppable[frozen.kind];
  if (rule === undefined) return false;
  const object = await client.get(rule.resource, frozen.name, frozen.namespace, { signal });
  if (object === undefined) return true;
  if (object.metadata.annotations?.[frozenByAnnotation] !== mark) return false;
  const field = fieldOf({ ...object, kind: frozen.kind });
  return frozen.kind === 'DaemonSet' ? field === 'true' : field === rule.stopped;
}

/** Names of the application's pods that run, or may run again. `captured` knows which ones the user keeps running. */
export async function podsOf(client: KubeClient, namespace: string, options: PodsOptions): Promise<string[]> {
  const { signal, labelSelector, captured } = options;
  const names: string[] = [];
  for await (const pod of client.list(resources.pods, { namespace, signal, ...(labelSelector === undefined ? {} : { labelSelector }) })) {
    if (mustStop(pod, captured)) names.push(pod.metadata.name);
  }
  return names;
}

export interface PodsOptions {
  signal: AbortSignal;
  labelSelector?: string;
  captured?: Captured;
}

/** Waits until no pod of the namespaces runs any more: only then is it proven that nothing writes. */
export async function waitPodsGone(
  client: KubeClient,
  namespaces: readonly string[],
  options: PodsOptions & { timeoutMs: number },
): Promise<void> {
  for (const namespace of namespaces) {
    let left: string[] = [];
    await waitFor(
      async () => {
        left = await podsOf(client, namespace, options);
        return left.length === 0 ? true : undefined;
      },
      {
        what: `The application in namespace ${namespace} on ${client.name} did not stop`,
        timeoutMs: options.timeoutMs,
        signal: options.signal,
        diagnose: () => Promise.resolve(`these pods still run: ${left.slice(0, 10).join(', ')}`),
      },
    );
  }
}

/** The label selector of a workload's pods, as a query. Undefined for kinds that have none of their own (CronJobs). */
export function selectorOf(manifest: KubeObject): string | undefined {
  if (manifest.kind === 'Job') return `job-name=${manifest.metadata.name}`;
  const selector = (manifest['spec'] as { selector?: Selector } | undefined)?.selector;
  if (selector === undefined) return undefined;
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const operators: Record<string, (key: string, values: string[]) => string> = {
    In: (key, values) => `${key} in (${values.join(',')})`,
    NotIn: (key, values) => `${key} notin (${values.join(',')})`,
    Exists: (key) => key,
    DoesNotExist: (key) => `!${key}`,
  };
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }) => operators[operator]?.(key, values ?? []) ?? '');
  return [...labels, ...expressions].join(',');
}

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
