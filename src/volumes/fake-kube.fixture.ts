/** A cluster in memory for the tests of this room: objects by resource, merge patches, uid preconditions, and a binder of claims. */
import type { KubeObject, ResourceType } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import type { KubeClient, Resource } from '../kube/index.ts';

export interface FakeKube {
  client: KubeClient;
  /** Puts an object in, as another one would have made it; gives its uid. */
  put(resource: Resource, object: KubeObject): string;
  get(resource: Resource, name: string, namespace?: string): KubeObject | undefined;
  all(resource: Resource): KubeObject[];
  /** `create persistentvolumeclaims shop/data`, writes only, in order. */
  calls: string[];
  /** Thrown by the next creates, one each. */
  refusals: TranshipError[];
}

export function refusal(status: number, reason: string, message: string): TranshipError {
  return new TranshipError(status === 409 ? 'Conflict' : status === 403 ? 'Forbidden' : 'Unreachable', message, {
    details: { status, reason },
  });
}

/** @param served kinds that are not built in */
export function fakeKube(served: readonly ResourceType[] = []): FakeKube {
  const objects = new Map<string, KubeObject>();
  const calls: string[] = [];
  const refusals: TranshipError[] = [];
  let last = 0;
  const place = (name: string, namespace?: string) => (namespace === undefined ? name : `${namespace}/${name}`);
  const key = (resource: Resource, name: string, namespace?: string) => `${resource.resource} ${place(name, namespace)}`;
  const put = (resource: Resource, object: KubeObject): string => {
    last += 1;
    const uid = object.metadata.uid ?? `uid-${last}`;
    const metadata = { ...object.metadata, uid, resourceVersion: `${last}` };
    objects.set(key(resource, metadata.name, metadata.namespace), bound({ ...structuredClone(object), metadata }));
    return uid;
  };
  const client: Pick<KubeClient, 'name' | 'get' | 'list' | 'create' | 'patch' | 'delete' | 'discover'> = {
    name: 'fake',
    discover: async () => await Promise.resolve({ resources: [...served], broken: [] }),
    get: async (resource, name, namespace) => await Promise.resolve(structuredClone(objects.get(key(resource, name, namespace)))),
    async *list(resource, { labelSelector = '', namespace } = {}) {
      const wanted = labelSelector.split(',').filter((term) => term !== '');
      for (const [at, object] of new Map(objects)) {
        const { labels, namespace: own } = object.metadata;
        const matches = wanted.every((term) => {
          const [name = '', value] = term.split('=');
          return value === undefined ? labels?.[name] !== undefined : labels?.[name] === value;
        });
        if (at.startsWith(`${resource.resource} `) && matches && (namespace ?? own) === own)
          yield await Promise.resolve(structuredClone(object));
      }
    },
    async create(resource, object) {
      const at = key(resource, object.metadata.name, object.metadata.namespace);
      calls.push(`create ${at}`);
      const refused = refusals.shift();
      if (refused !== undefined) throw refused;
      if (objects.has(at)) throw refusal(409, 'AlreadyExists', `${at} already exists`);
      put(resource, object);
      return await Promise.resolve(structuredClone(objects.get(at) ?? object));
    },
    async patch(resource, name, namespace, patch) {
      const at = key(resource, name, namespace);
      calls.push(`patch ${at}`);
      const there = objects.get(at);
      if (there === undefined) throw new TranshipError('NotFound', at);
      const body = patch.body as Merge & { metadata?: { resourceVersion?: string } };
      const version = body.metadata?.resourceVersion;
      if (version !== undefined && version !== there.metadata.resourceVersion) throw refusal(409, 'Conflict', 'has been modified');
      put(resource, merged(there, body) as unknown as KubeObject);
      if (isReclaimed(objects.get(at), objects)) objects.delete(at);
      return await Promise.resolve(structuredClone(there));
    },
    async delete(resource, name, namespace, options = {}) {
      const at = key(resource, name, namespace);
      const there = objects.get(at);
      if (there === undefined) return await Promise.resolve(false);
      if (options.uid !== undefined && options.uid !== there.metadata.uid) throw refusal(409, 'Conflict', 'Precondition failed: UID');
      calls.push(`delete ${at}`);
      return objects.delete(at);
    },
  };
  return {
    client: client as KubeClient,
    put,
    get: (resource, name, namespace) => objects.get(key(resource, name, namespace)),
    all: (resource) => [...objects].filter(([at]) => at.startsWith(`${resource.resource} `)).map(([, object]) => object),
    calls,
    refusals,
  };
}

/** The provisioner: a volume of policy Delete whose claim is gone goes, too. */
function isReclaimed(object: KubeObject | undefined, objects: ReadonlyMap<string, KubeObject>): boolean {
  const spec = object?.['spec'] as { persistentVolumeReclaimPolicy?: string; claimRef?: { uid?: string } } | undefined;
  if (object?.kind !== 'PersistentVolume' || spec?.persistentVolumeReclaimPolicy !== 'Delete' || spec.claimRef?.uid === undefined)
    return false;
  return !objects.values().some(({ metadata }) => metadata.uid === spec.claimRef?.uid);
}

/** The binder: a claim that names its volume gets it. */
function bound(object: KubeObject): KubeObject {
  const spec = object['spec'] as { volumeName?: string } | undefined;
  return object.kind === 'PersistentVolumeClaim' && spec?.volumeName !== undefined ? { ...object, status: { phase: 'Bound' } } : object;
}

type Merge = { [field: string]: unknown };

function merged(there: Merge, patch: Merge): Merge {
  const result = { ...there };
  for (const [field, value] of Object.entries(patch)) {
    const before = result[field];
    if (value === null) delete result[field];
    else if (typeof value !== 'object' || Array.isArray(value)) result[field] = value;
    else result[field] = merged(typeof before === 'object' && before !== null ? (before as Merge) : {}, value as Merge);
  }
  return result;
}
