import type { KubeObject } from '../api/object.ts';
import type { HubEvent } from './hub.ts';

/** The events that lead from `known` (which is brought up to date) to `objects`. */
export function* differences(known: Map<string, KubeObject>, objects: KubeObject[]): Generator<HubEvent> {
  const keys = new Set(objects.map(keyOf));
  for (const [key, object] of known) {
    if (keys.has(key)) continue;
    known.delete(key);
    yield { type: 'DELETED', object };
  }
  for (const object of objects) {
    const key = keyOf(object);
    const before = known.get(key);
    known.set(key, object);
    if (before === undefined) yield { type: 'ADDED', object };
    else if (before.metadata.uid !== object.metadata.uid) {
      yield { type: 'DELETED', object: before };
      yield { type: 'ADDED', object };
    } else if (before.metadata.resourceVersion !== object.metadata.resourceVersion) yield { type: 'MODIFIED', object };
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
