/** What a plan needs to know of a cluster. Reads only; content of Secrets is not kept. */
import type { Captured } from '../api/captured.ts';
import { byText, fieldAt, find, textOf } from '../api/fields.ts';
import type { KubeObject, ResourceType } from '../api/object.ts';
import type { Surface, SurfaceSnapshotClass, SurfaceStorageClass } from '../api/plan.ts';
import { TranshipError } from '../errors.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { servedAs } from '../api/served.ts';
import { NEVER_READ } from './leave-behind.ts';
import { inParallel } from './listing.ts';
import { discoverWhole, listAll, readOne, type Reader } from './reading.ts';

export interface SurfaceOptions {
  /** The namespaces that the move reads (source) or writes (target), by the names they have there. */
  namespaces: readonly string[];
  /** What moves. Absent when that is not known (a surface that is exported for later): then everything that could collide is listed. */
  captured?: Captured;
  signal: AbortSignal;
}

const DEFAULT_CLASS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];
const DEFAULT_SNAPSHOT_CLASS = ['snapshot.storage.kubernetes.io/is-default-class', 'groupsnapshot.storage.kubernetes.io/is-default-class'];
const CHOSEN_SNAPSHOT_CLASS = 'tranship.io/snapshot-class';

/** Reads the surface of a source or target: what it serves, its classes, and what is already there under the names of the move. */
export async function readSurface(client: KubeClient, options: SurfaceOptions): Promise<Surface> {
  const { signal } = options;
  const [id, version, discovery] = await Promise.all([
    client.clusterId({ signal }),
    client.version({ signal }),
    discoverWhole(client, signal),
  ]);
  const types = discovery.resources;
  const unread: Unread = [];
  const look: Look = { reader: { client, signal, broken: new Set(discovery.broken.map(({ group }) => group)) }, types, unread };
  const [namespaces, storageClasses, snapshotClasses, groupClasses, drivers, ingressClasses, existing] = await Promise.all([
    readAll(look, resources.namespaces),
    readAll(look, resources.storageClasses),
    readAll(look, resources.volumeSnapshotClasses),
    readAll(look, { group: 'groupsnapshot.storage.k8s.io', kind: 'VolumeGroupSnapshotClass' }),
    readAll(look, resources.csiDrivers),
    readAll(look, resources.ingressClasses),
    // The captured namespaces of the source themselves can collide with nothing; there is no need to read them again.
    isSource(id, options) ? [] : readExisting(look, options),
  ]);
  const names = (objects: readonly KubeObject[]) => objects.map((object) => object.metadata.name).toSorted(byText);
  const byName = <Item extends { name: string }>(items: Item[]) => items.toSorted((a, b) => byText(a.name, b.name));
  return {
    cluster: { id, name: client.name, version: version.gitVersion },
    resources: types.map((type) => ({ ...type })),
    brokenGroups: discovery.broken,
    namespaces: names(namespaces),
    storageClasses: byName(storageClasses.map(storageClassOf)),
    snapshotClasses: byName(snapshotClasses.map(snapshotClassOf)),
    ...(groupClasses.length > 0 && { groupSnapshotClasses: byName(groupClasses.map(snapshotClassOf)) }),
    csiDrivers: names(drivers),
    ingressClasses: names(ingressClasses),
    existing,
    ...(unread.length > 0 && { unread: unread.toSorted((a, b) => byText(JSON.stringify(a), JSON.stringify(b))) }),
  };
}

type Unread = NonNullable<Surface['unread']>;

/** What all reads of one surface share. */
interface Look {
  reader: Reader;
  types: readonly ResourceType[];
  /** Filled on the way. */
  unread: Unread;
}

function isSource(id: string, { captured, namespaces }: SurfaceOptions): boolean {
  return captured !== undefined && id === captured.cluster.id && sameNames(namespaces, captured.namespaces);
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return new Set(left).symmetricDifference(new Set(right)).size === 0;
}

function storageClassOf(object: KubeObject): SurfaceStorageClass {
  return {
    name: object.metadata.name,
    provisioner: textOf(object.provisioner) ?? '',
    isDefault: DEFAULT_CLASS.some((name) => object.metadata.annotations?.[name] === 'true'),
    bindingMode: object.volumeBindingMode === 'WaitForFirstConsumer' ? 'WaitForFirstConsumer' : 'Immediate',
    allowExpansion: object.allowVolumeExpansion === true,
  };
}

function snapshotClassOf(object: KubeObject): SurfaceSnapshotClass {
  const marked = (name: string) => object.metadata.annotations?.[name] === 'true';
  return {
    name: object.metadata.name,
    driver: textOf(object.driver) ?? '',
    isDefault: DEFAULT_SNAPSHOT_CLASS.some(marked),
    ...(marked(CHOSEN_SNAPSHOT_CLASS) && { isChosen: true }),
  };
}

/** All of a kind; none when it is not served, or not for us: then it is among the unread, and the plan says what it misses. */
async function readAll(look: Look, resource: Pick<Resource, 'group' | 'kind'>): Promise<KubeObject[]> {
  const served = look.types.find((type) => type.group === resource.group && type.kind === resource.kind);
  return served === undefined ? [] : await readIn(look, served, undefined, look.reader.signal);
}

async function readIn(
  { reader, unread }: Look,
  type: ResourceType,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const reading = await listAll({ ...reader, signal }, type, namespace);
  if ('value' in reading) return reading.value;
  if (reading.refusal.reason !== 'NotServed') {
    const { group, resource } = type;
    unread.push({ group, resource, ...(namespace !== undefined && { namespace }), message: reading.refusal.sentence });
  }
  return [];
}

/** What could collide: the captured kinds in the namespaces, and cluster-scoped objects by their captured names. */
async function readExisting(look: Look, { namespaces, captured }: SurfaceOptions): Promise<KubeObject[]> {
  if (captured === undefined) return await readEverything(look, namespaces);
  const { types, reader } = look;
  const served = (type: ResourceType) => {
    const there = servedAs(type, types);
    // In the version that was captured, so that contents can be compared.
    return there?.versions.includes(type.version) === true ? { ...there, version: type.version } : there;
  };
  const kinds = new Map<string, ResourceType>();
  const named: { type: ResourceType; name: string }[] = [];
  for (const { resource, object } of captured.objects) {
    const type = served(resource);
    if (type === undefined || (type.group === '' && type.kind === 'Namespace')) continue;
    if (type.namespaced) kinds.set(`${type.resource}.${type.group}`, type);
    else named.push({ type, name: object.metadata.name });
  }
  const namespaceType = types.find((type) => type.group === '' && type.kind === 'Namespace');
  if (namespaceType !== undefined) named.push(...namespaces.map((name) => ({ type: namespaceType, name })));
  const [single, listed] = await Promise.all([
    inParallel(named, reader.signal, async ({ type, name }, signal) => {
      const reading = await readOne({ ...reader, signal }, type, name);
      if ('value' in reading) return reading.value;
      throw new TranshipError('Forbidden', reading.refusal.sentence, { hint: `Grant get on ${type.resource}.` });
    }),
    inParallel(
      [...kinds.values()].flatMap((type) => namespaces.map((namespace) => ({ type, namespace }))),
      reader.signal,
      async ({ type, namespace }, signal) => await readIn(look, type, namespace, signal),
    ),
  ]);
  return [...single.filter((object) => object !== undefined), ...listed.flat()].map(withoutSecrets);
}

/** Cluster-scoped kinds that a capture can bring along (`closure.ts`), by group and kind. */
const CLOSURE_KINDS: ReadonlySet<string> = new Set([
  'Namespace.',
  'ClusterRole.rbac.authorization.k8s.io',
  'ClusterRoleBinding.rbac.authorization.k8s.io',
  'CustomResourceDefinition.apiextensions.k8s.io',
  'PriorityClass.scheduling.k8s.io',
  'RuntimeClass.node.k8s.io',
  'IngressClass.networking.k8s.io',
  'GatewayClass.gateway.networking.k8s.io',
  'DeviceClass.resource.k8s.io',
  'ClusterIssuer.cert-manager.io',
  'ValidatingWebhookConfiguration.admissionregistration.k8s.io',
  'MutatingWebhookConfiguration.admissionregistration.k8s.io',
  'APIService.apiregistration.k8s.io',
]);

/** Every kind in the namespaces, and the cluster-scoped kinds that applications bring along. Definitions without their schemas. */
async function readEverything(look: Look, namespaces: readonly string[]): Promise<KubeObject[]> {
  const readable = look.types.filter((type) => type.verbs.includes('list') && type.verbs.includes('create'));
  const there = await Promise.all(
    [...new Set(namespaces)].map(async (name) => (await readOne(look.reader, resources.namespaces, name)) as { value?: KubeObject }),
  );
  const present = there.flatMap(({ value }) => value?.metadata.name ?? []);
  const tasks = readable.flatMap((type): { type: ResourceType; namespace?: string }[] => {
    const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
    if (!type.namespaced) return CLOSURE_KINDS.has(`${type.kind}.${type.group}`) ? [{ type }] : [];
    return NEVER_READ.has(kind) ? [] : present.map((namespace) => ({ type, namespace }));
  });
  const lists = await inParallel(
    tasks,
    look.reader.signal,
    async ({ type, namespace }, signal) => await readIn(look, type, namespace, signal),
  );
  return lists.flat().map((object) => withoutSchemas(withoutSecrets(object)));
}

function withoutSchemas(object: KubeObject): KubeObject {
  if (object.kind !== 'CustomResourceDefinition') return object;
  const { status, ...rest } = structuredClone(object);
  void status;
  for (const hit of find(rest, 'spec.versions[*].schema')) hit.remove();
  return rest;
}

/** Names and marks are enough to see a collision; values of the target's Secrets are none of our business. */
function withoutSecrets(object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  void managedFields;
  if (object.kind !== 'Secret') return { ...object, metadata };
  const { name, namespace, annotations, labels } = metadata;
  const marks = Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !key.includes('last-applied')));
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    type: fieldAt(object, 'type'),
    metadata: { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }), annotations: marks },
  };
}
