/** Pure: what the API server does to an object on create, update and delete, for the hub that has no API server. */
import type { KubeObject, ObjectMeta } from '../api/object.ts';
import { refOf, refText } from '../api/object.ts';
import { TranshipError } from '../errors.ts';

/** The object as it is stored first. `status` is dropped: it is written by controllers only. */
export function created(object: KubeObject, uid: string, now: string): KubeObject {
  const { status: _status, ...rest } = object;
  const { resourceVersion: _resourceVersion, deletionTimestamp: _deletionTimestamp, ...metadata } = object.metadata;
  return { ...rest, metadata: { ...metadata, uid, creationTimestamp: now, generation: 1 } };
}

/** `stored` with everything of `given` but its status and what the server owns; generation is raised when more than metadata changed. */
export function updated(stored: KubeObject, given: KubeObject): KubeObject {
  const { status: _status, ...rest } = given;
  const status = stored['status'];
  const metadata = serverOwned({ ...given.metadata }, stored.metadata);
  const next: KubeObject = { ...rest, metadata, ...(status !== undefined && { status }) };
  if (contentOf(next) !== contentOf(stored)) metadata.generation = (stored.metadata.generation ?? 0) + 1;
  return next;
}

/** `stored` with the status of `given` and nothing else of it. */
export function withStatus(stored: KubeObject, given: KubeObject): KubeObject {
  return { ...stored, status: given['status'] };
}

/** The mark of an object that waits for its finalizers. */
export function markedDeleted(stored: KubeObject, now: string): KubeObject {
  const generation = (stored.metadata.generation ?? 0) + 1;
  return { ...stored, metadata: { ...stored.metadata, deletionTimestamp: now, generation } };
}

/** True when nothing holds a deleted object any more. */
export function isGone({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
}

/** @throws InvalidInput without a version, Conflict with an old one */
export function checkVersion(stored: KubeObject, given: KubeObject): void {
  const text = refText(refOf(given));
  const { resourceVersion, uid } = given.metadata;
  if (resourceVersion === undefined) throw new TranshipError('InvalidInput', `${text} cannot be updated without its resourceVersion.`);
  if (resourceVersion !== stored.metadata.resourceVersion || (uid !== undefined && uid !== stored.metadata.uid)) {
    throw new TranshipError('Conflict', `${text} was changed by somebody else in between.`, { details: { reason: 'Conflict' } });
  }
}

/** True when storing `next` would change nothing: no new version then, as in the API server. */
export function isSame(stored: KubeObject, next: KubeObject): boolean {
  return canonical(stored) === canonical(next);
}

function serverOwned(metadata: ObjectMeta, stored: ObjectMeta): ObjectMeta {
  for (const field of ['uid', 'creationTimestamp', 'deletionTimestamp', 'generation', 'resourceVersion'] as const) {
    delete metadata[field];
    if (stored[field] !== undefined) Object.assign(metadata, { [field]: stored[field] });
  }
  return metadata;
}

function contentOf({ metadata: _metadata, status: _status, ...content }: KubeObject): string {
  return canonical(content);
}

/** JSON with sorted keys: the order of fields is not a change. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
