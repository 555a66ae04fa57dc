/** Pure: what of a manifest is not as it was written. Fields that a server adds do not count; fields that it took away or changed do. */
import { canonicalJson, fieldAt, isRecord, pointerOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';

export interface FieldDifference {
  /** JSON pointer into the manifest. */
  path: string;
  expected: unknown;
  actual: unknown;
}

/** Written by us or rebuilt on the target; a comparison of contents passes them over. */
const OWN_PATHS: ReadonlySet<string> = new Set(['/metadata/ownerReferences']);
/** List items that a server may add to or reorder are found again by the first of these fields that they have. */
const ITEM_KEYS = ['name', 'mountPath', 'containerPort', 'port', 'key', 'ip', 'uid', 'topologyKey'];

/** Absent, null and empty say the same in every Kubernetes API that we know of. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function itemOf(expected: unknown, actual: readonly unknown[], index: number): unknown {
  const key = ITEM_KEYS.find((each) => fieldAt(expected, each) !== undefined);
  if (key === undefined) return actual[index];
  const same = (item: unknown) =>
    fieldAt(item, key) === fieldAt(expected, key) && (fieldAt(expected, 'protocol') ?? 'TCP') === (fieldAt(item, 'protocol') ?? 'TCP');
  return same(actual[index]) ? actual[index] : actual.find(same);
}

function walk(expected: unknown, actual: unknown, tokens: (string | number)[], found: FieldDifference[]): void {
  const path = pointerOf(tokens);
  if (OWN_PATHS.has(path) || (isEmpty(expected) && isEmpty(actual))) return;
  if (isRecord(expected) && isRecord(actual)) {
    for (const [key, value] of Object.entries(expected)) walk(value, actual[key], [...tokens, key], found);
    return;
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    expected.forEach((item: unknown, index) => walk(item, itemOf(item, actual, index), [...tokens, index], found));
    return;
  }
  if (canonicalJson(expected) !== canonicalJson(actual)) found.push({ path, expected, actual });
}

/** All fields of `manifest` that `actual` does not have, or has with another value. */
export function differences(manifest: KubeObject, actual: KubeObject): FieldDifference[] {
  const found: FieldDifference[] = [];
  walk(manifest, actual, [], found);
  return found;
}
