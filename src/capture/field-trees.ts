/** Which fields a cluster knows: its OpenAPI v3, cut down to names. Reads only. */
import { fieldAt, isRecord, listOf, textOf } from '../api/fields.ts';
import type { FieldTree, FieldTrees } from '../api/facts.ts';
import { sentenceOf } from '../errors.ts';
import type { KubeClient } from '../kube/index.ts';
import { inParallel } from './listing.ts';

/** Groups whose objects never move: their schemas would only fill the file. */
const NEVER_MOVED = /^apis\/(?:authentication|authorization|internal\.apiserver|certificates|events|metrics)\./;

/** @throws what the transport throws; a group that has no schema is listed as unread */
export async function readFieldTrees(client: KubeClient, signal: AbortSignal): Promise<FieldTrees> {
  const trees: FieldTrees = { kinds: {}, trees: {}, unread: [] };
  let index: unknown;
  try {
    index = await client.request('GET', '/openapi/v3', { signal });
  } catch (error) {
    signal.throwIfAborted();
    trees.unread.push({ groupVersion: '*', message: sentenceOf(error) });
    return trees;
  }
  const paths = Object.keys(recordAt(index, 'paths')).filter(
    (path) => /^(?:api\/v1|apis\/[^/]+\/[^/]+)$/.test(path) && !NEVER_MOVED.test(path),
  );
  await inParallel(paths.toSorted(), signal, async (path, inner) => {
    try {
      addSchemas(trees, await client.request('GET', `/openapi/v3/${path}`, { signal: inner, timeoutMs: 60_000 }));
    } catch (error) {
      signal.throwIfAborted();
      trees.unread.push({ groupVersion: path.replace(/^apis?\//, ''), message: sentenceOf(error) });
    }
  });
  return sorted(trees);
}

function recordAt(value: unknown, ...keys: string[]): Record<string, unknown> {
  const found = fieldAt(value, ...keys);
  return isRecord(found) ? found : {};
}

/** Pure: the schemas of one group version into the trees. */
export function addSchemas(into: FieldTrees, document: unknown): void {
  for (const [name, schema] of Object.entries(recordAt(document, 'components', 'schemas'))) {
    into.trees[name] ??= treeOf(schema);
    for (const kind of listOf(fieldAt(schema, 'x-kubernetes-group-version-kind'))) {
      const text = [fieldAt(kind, 'group'), fieldAt(kind, 'version'), fieldAt(kind, 'kind')].map((part) => textOf(part) ?? '').join('/');
      // Kinds with many versions of their own (DeleteOptions) are no objects.
      if (isRecord(fieldAt(schema, 'properties', 'metadata'))) into.kinds[text] = name;
    }
  }
}

/** Pure. `$ref` stands alone, or in an `allOf` of one beside a default. */
export function treeOf(schema: unknown): FieldTree {
  const ref = textOf(fieldAt(schema, '$ref')) ?? textOf(fieldAt(schema, 'allOf', 0, '$ref'));
  if (ref !== undefined) return { ref: ref.slice(ref.lastIndexOf('/') + 1) };
  if (fieldAt(schema, 'x-kubernetes-preserve-unknown-fields') === true) return { open: true };
  const properties = fieldAt(schema, 'properties');
  if (isRecord(properties)) {
    return { properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, treeOf(value)])) };
  }
  const items = fieldAt(schema, 'items') ?? fieldAt(schema, 'additionalProperties');
  return isRecord(items) ? { items: treeOf(items) } : { open: true };
}

function sorted({ kinds, trees, unread }: FieldTrees): FieldTrees {
  const order = <Value>(record: Record<string, Value>) =>
    Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { kinds: order(kinds), trees: order(trees), unread: unread.toSorted((a, b) => (a.groupVersion < b.groupVersion ? -1 : 1)) };
}
