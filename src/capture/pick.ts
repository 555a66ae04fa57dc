/** Pure: an object cut down to the fields at some paths. */
import { isRecord, parsePath } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';

/** The name, the namespace and what the paths lead to; arrays keep their length, so that an index still means the same item. */
export function pickObject(object: KubeObject, paths: readonly string[]): KubeObject {
  const { name, namespace } = object.metadata;
  const kept = pick(
    object,
    paths.map((path) => parsePath(path)),
  );
  const metadata = isRecord(kept) && isRecord(kept['metadata']) ? kept['metadata'] : {};
  return {
    ...(isRecord(kept) ? kept : {}),
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...metadata, name, ...(namespace !== undefined && { namespace }) },
  };
}

function pick(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) {
    const below = paths.filter(([first]) => first === '*').map(([, ...rest]) => rest);
    return below.length === 0 ? undefined : value.map((item) => pick(item, below));
  }
  if (!isRecord(value)) return undefined;
  const kept: Record<string, unknown> = {};
  for (const [first, same] of Map.groupBy(paths, ([token]) => token ?? '')) {
    if (!Object.hasOwn(value, first)) continue;
    const found = pick(
      value[first],
      same.map(([, ...rest]) => rest),
    );
    if (found !== undefined) kept[first] = found;
  }
  return kept;
}
