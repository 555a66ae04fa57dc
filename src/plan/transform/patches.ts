/** Merge patches: RFC 7386, and the strategic ones of Kubernetes, which know what the items of a list are called. */
import { isRecord, listOf } from '../../api/fields.ts';
import { Impossible } from './pointer.ts';

/** RFC 7386: null removes, maps are merged, everything else takes the place of what was there. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else define(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value));
  }
  return result;
}

/**
 * What the items of a list are told apart by, by the name of its field: `patchMergeKey` of k8s.io/api (core, apps, batch, policy, rbac, networking). A
 * field that is absent here is replaced as a whole, as the API server does.
 */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  conditions: ['type'],
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  hostAliases: ['ip'],
  imagePullSecrets: ['name'],
  ownerReferences: ['uid'],
  podIPs: ['ip'],
  // Ports of a container and of a service.
  ports: ['containerPort', 'port'],
  resourceClaims: ['name'],
  secrets: ['name'],
  topologySpreadConstraints: ['topologyKey'],
  volumeDevices: ['devicePath'],
  volumeMounts: ['mountPath'],
  volumes: ['name'],
  hostIPs: ['ip'],
};
/** Lists of plain values that are added to, not replaced. */
const SETS: ReadonlySet<string> = new Set(['finalizers']);

/** @throws Impossible for a list item without the field that tells it apart, and for directives that are not known */
export function strategicPatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const directive = patch['$patch'];
  if (directive === 'delete') return undefined;
  if (directive !== undefined && directive !== 'replace' && directive !== 'merge')
    throw new Impossible(`$patch: ${JSON.stringify(directive)} is not known`);
  const base = isRecord(target) && directive !== 'replace' ? target : {};
  const kept = Array.isArray(patch['$retainKeys']) ? new Set(patch['$retainKeys']) : undefined;
  const result: Record<string, unknown> = Object.fromEntries(Object.entries(base).filter(([key]) => kept === undefined || kept.has(key)));
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key === '$retainKeys' || key.startsWith('$setElementOrder/')) continue;
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const field = key.slice(key.indexOf('/') + 1);
      if (Array.isArray(result[field])) result[field] = listOf(result[field]).filter((item) => !listOf(value).includes(item));
      continue;
    }
    const merged = value === null ? undefined : mergeField(key, Object.hasOwn(result, key) ? result[key] : undefined, value);
    if (merged === undefined) delete result[key];
    else define(result, key, merged);
  }
  return result;
}

function mergeField(key: string, before: unknown, value: unknown): unknown {
  if (!Array.isArray(value)) return strategicPatch(before, value);
  if (SETS.has(key)) return [...new Set([...listOf(before), ...value])];
  const keys = MERGE_KEYS[key];
  // Not all lists of these names are lists of records.
  if (keys === undefined || value.some((item) => !isRecord(item))) return value;
  if (value.some((item) => isRecord(item) && item['$patch'] === 'replace' && Object.keys(item).length === 1)) {
    return value.filter((item) => !(isRecord(item) && item['$patch'] === 'replace'));
  }
  const items = [...listOf(before)];
  for (const patch of value) {
    const id = keys.find((each) => isRecord(patch) && patch[each] !== undefined);
    if (id === undefined || !isRecord(patch)) throw new Impossible(`an item of ${key} lacks ${keys.join(' or ')}, which tells it apart`);
    const index = items.findIndex((item) => isRecord(item) && item[id] === patch[id]);
    const merged = strategicPatch(index < 0 ? undefined : items[index], patch);
    if (index < 0 && merged !== undefined) items.push(merged);
    else if (merged === undefined && index >= 0) items.splice(index, 1);
    else if (index >= 0) items[index] = merged;
  }
  return items;
}

/** `__proto__` is a field like any other. */
function define(record: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}
