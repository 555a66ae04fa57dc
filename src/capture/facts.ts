/** What an assessment needs to know of a cluster beyond the surface. Reads only; what is refused is listed, never taken for "nothing". */
import { byText, fieldAt, find, listOf, recordOf, textOf } from '../api/fields.ts';
import type { ClusterFacts, NodeUsage, Right } from '../api/facts.ts';
import type { KubeObject, ResourceType } from '../api/object.ts';
import { bytesOf, milliOf } from '../api/quantity.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { FACT_KINDS, type FactKind } from './fact-kinds.ts';
import { readFieldTrees } from './field-trees.ts';
import { inParallel } from './listing.ts';
import { pickObject } from './pick.ts';
import { discoverWhole, listAll, readOne, type Reader } from './reading.ts';

export interface FactsOptions {
  /** Namespaces of the move, as they are called on this cluster. */
  namespaces: readonly string[];
  side: 'source' | 'target';
  signal: AbortSignal;
}

/** @throws when the server fails for longer than the reader's patience */
export async function readFacts(client: KubeClient, { namespaces, side, signal }: FactsOptions): Promise<ClusterFacts> {
  const discovery = await discoverWhole(client, signal);
  const reader: Reader = { client, signal, broken: new Set(discovery.broken.map(({ group }) => group)) };
  const unread: ClusterFacts['unread'] = [];
  const [objects, usage, schemas, rights, dnsDomain] = await Promise.all([
    readKinds(reader, discovery.resources, namespaces, unread),
    readUsage(reader, unread),
    side === 'target' ? readFieldTrees(client, signal) : { kinds: {}, trees: {}, unread: [] },
    readRights(client, side, signal),
    readDnsDomain(reader),
  ]);
  return {
    objects: objects.toSorted((a, b) => byText(keyOf(a), keyOf(b))),
    usage,
    schemas,
    rights,
    dnsDomain,
    webhookBackends: await readBackends(reader, objects),
    unread: unread.toSorted((a, b) => byText(JSON.stringify(a), JSON.stringify(b))),
  };
}

const keyOf = ({ apiVersion, kind, metadata }: KubeObject) => `${kind} ${apiVersion} ${metadata.namespace ?? ''}/${metadata.name}`;

async function readKinds(
  reader: Reader,
  types: readonly ResourceType[],
  namespaces: readonly string[],
  unread: ClusterFacts['unread'],
): Promise<KubeObject[]> {
  const tasks = FACT_KINDS.flatMap((fact) =>
    types
      .filter((type) => type.group === fact.group && (type.kind === fact.kind || fact.kind === '*') && type.verbs.includes('list'))
      .flatMap((type): { fact: FactKind; type: ResourceType; namespace?: string }[] =>
        fact.where === 'moving' ? namespaces.map((namespace) => ({ fact, type, namespace })) : [{ fact, type }],
      ),
  );
  const lists = await inParallel(tasks, reader.signal, async ({ fact, type, namespace }, signal) => {
    const reading = await listAll({ ...reader, signal }, type, namespace);
    if ('value' in reading) return reading.value.map((object) => pickObject(object, fact.keep));
    if (reading.refusal.reason !== 'NotServed') {
      unread.push({
        group: type.group,
        resource: type.resource,
        ...(namespace !== undefined && { namespace }),
        message: reading.refusal.sentence,
      });
    }
    return [];
  });
  return lists.flat();
}

/** What the pods of each node ask for. The pods themselves are not kept. */
async function readUsage(reader: Reader, unread: ClusterFacts['unread']): Promise<NodeUsage[] | undefined> {
  const usage = new Map<string, NodeUsage>();
  const reading = await listAll(reader, { ...resources.pods, verbs: [], versions: ['v1'] });
  if ('refusal' in reading) {
    unread.push({ group: '', resource: 'pods', message: reading.refusal.sentence });
    return undefined;
  }
  for (const pod of reading.value) {
    const node = textOf(fieldAt(pod, 'spec', 'nodeName'));
    if (node === undefined || ['Succeeded', 'Failed'].includes(textOf(fieldAt(pod, 'status', 'phase')) ?? '')) continue;
    const sum = usage.get(node) ?? { node, cpuMillis: 0, memoryBytes: 0, pods: 0 };
    const { cpuMillis, memoryBytes } = requestsOf(pod.spec);
    usage.set(node, { node, cpuMillis: sum.cpuMillis + cpuMillis, memoryBytes: sum.memoryBytes + memoryBytes, pods: sum.pods + 1 });
  }
  return [...usage.values()].toSorted((a, b) => byText(a.node, b.node));
}

/** Pure: what the scheduler reserves for a pod: the sum of its containers, or its largest init container if that is more. */
export function requestsOf(spec: unknown): { cpuMillis: number; memoryBytes: number } {
  const of = (container: unknown) => {
    // A container with a limit and no request asks for its limit.
    const resource = (name: string) => fieldAt(container, 'resources', 'requests', name) ?? fieldAt(container, 'resources', 'limits', name);
    return { cpu: milliOf(resource('cpu')), memory: bytesOf(resource('memory')) };
  };
  const initial = listOf(fieldAt(spec, 'initContainers'));
  const lasting = [...listOf(fieldAt(spec, 'containers')), ...initial.filter((each) => fieldAt(each, 'restartPolicy') === 'Always')].map(
    of,
  );
  const passing = initial.filter((each) => fieldAt(each, 'restartPolicy') !== 'Always').map(of);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const overhead = recordOf(fieldAt(spec, 'overhead'));
  return {
    cpuMillis: Math.max(sum(lasting.map(({ cpu }) => cpu)), ...passing.map(({ cpu }) => cpu)) + milliOf(overhead['cpu']),
    memoryBytes: Math.max(sum(lasting.map(({ memory }) => memory)), ...passing.map(({ memory }) => memory)) + bytesOf(overhead['memory']),
  };
}

/** What a move does on each side: the verbs that its steps use. */
const NEEDED: Readonly<Record<'source' | 'target', readonly (readonly [string, string, string])[]>> = {
  source: [
    ['list', '', 'secrets'],
    ['list', '', 'persistentvolumeclaims'],
    ['get', '', 'persistentvolumes'],
    ['patch', 'apps', 'deployments'],
    ['patch', 'apps', 'statefulsets'],
    ['create', 'snapshot.storage.k8s.io', 'volumesnapshots'],
    ['create', 'snapshot.storage.k8s.io', 'volumesnapshotcontents'],
    ['create', '', 'namespaces'],
    ['create', '', 'pods'],
    ['create', '', 'persistentvolumeclaims'],
    ['create', '', 'pods/exec'],
  ],
  target: [
    ['create', '', 'namespaces'],
    ['create', '', 'secrets'],
    ['create', '', 'configmaps'],
    ['create', '', 'serviceaccounts'],
    ['create', '', 'services'],
    ['create', '', 'persistentvolumeclaims'],
    ['patch', '', 'persistentvolumes'],
    ['delete', '', 'persistentvolumeclaims'],
    ['create', '', 'pods'],
    ['create', '', 'pods/exec'],
    ['create', 'apps', 'deployments'],
    ['create', 'apps', 'statefulsets'],
    ['create', 'rbac.authorization.k8s.io', 'roles'],
    ['create', 'rbac.authorization.k8s.io', 'rolebindings'],
    ['create', 'rbac.authorization.k8s.io', 'clusterroles'],
    ['escalate', 'rbac.authorization.k8s.io', 'roles'],
  ],
};

async function readRights(client: KubeClient, side: 'source' | 'target', signal: AbortSignal): Promise<Right[]> {
  return await inParallel(NEEDED[side], signal, async ([verb, group, resource], inner) => {
    const [name = '', subresource] = resource.split('/');
    const allowed = await client.can(verb, { group, resource: name, ...(subresource !== undefined && { subresource }) }, { signal: inner });
    return { verb, group, resource, allowed };
  });
}

/** The domain that CoreDNS answers for: the first zone of its `kubernetes` plugin. */
async function readDnsDomain(reader: Reader): Promise<string | undefined> {
  const reading = await readOne(reader, resources.configMaps, 'coredns', 'kube-system');
  const file = 'value' in reading ? textOf(fieldAt(reading.value, 'data', 'Corefile')) : undefined;
  return /^\s*kubernetes\s+([a-z0-9.-]+)/m.exec(file ?? '')?.[1];
}

async function readBackends(reader: Reader, objects: readonly KubeObject[]): Promise<ClusterFacts['webhookBackends']> {
  const services = new Map<string, { namespace: string; name: string }>();
  for (const object of objects.filter(({ kind }) => kind.endsWith('WebhookConfiguration'))) {
    for (const { value } of find(object, 'webhooks[*].clientConfig.service')) {
      const [namespace, name] = [textOf(fieldAt(value, 'namespace')), textOf(fieldAt(value, 'name'))];
      if (namespace !== undefined && name !== undefined) services.set(`${namespace}/${name}`, { namespace, name });
    }
  }
  const backends = await inParallel([...services.values()], reader.signal, async ({ namespace, name }, signal) => {
    const slices: KubeObject[] = [];
    const labelSelector = `kubernetes.io/service-name=${name}`;
    try {
      for await (const slice of reader.client.list(resources.endpointSlices, { namespace, labelSelector, signal })) slices.push(slice);
    } catch {
      signal.throwIfAborted();
      return []; // not known: the rule says so when a webhook has no entry
    }
    const ready = slices.some((slice) => find(slice, 'endpoints[*].conditions.ready').some((hit) => hit.value !== false));
    return [{ namespace, name, ready }];
  });
  return backends.flat().toSorted((a, b) => byText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`));
}
