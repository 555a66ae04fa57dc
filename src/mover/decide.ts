import type { Entry } from '../archive/index.ts';

/**
 * What to do with one path of a target whose possible states are known.
 * - keep: all states hold it as it must be
 * - attributes: content is right in all states, owner, mode, times or xattrs are not
 * - change: a regular file in all states; differing chunks are written in place
 * - create: whatever is there is replaced
 * - remove: it must go
 */
export type Decision = 'keep' | 'attributes' | 'change' | 'create' | 'remove';

/** @param olds one item per possible state of the target; undefined where that state does not have the path */
export function decide(wanted: Entry | undefined, olds: (Entry | undefined)[]): Decision {
  if (wanted === undefined) return 'remove';
  // In every state the same kind of thing, or it is made anew. A former hardlink is never written in place: its content belongs to other names too.
  for (const old of olds) {
    if (old?.type !== wanted.type) return 'create';
    if (old.link !== wanted.link || String(old.rdev) !== String(wanted.rdev)) return 'create';
  }
  const known = olds as Entry[];
  if (known.length === 0) return 'create';
  const attributes = attributesText(wanted);
  const sameAttributes = known.every((old) => attributesText(old) === attributes);
  if (wanted.type === 'file' || wanted.type === 'device') {
    const content = contentText(wanted);
    if (!known.every((old) => contentText(old) === content)) return 'change';
  }
  return sameAttributes ? 'keep' : 'attributes';
}

function attributesText({ mode, uid, gid, mtime, xattrs }: Entry): string {
  return JSON.stringify([mode, uid, gid, mtime, xattrs ?? []]);
}

function contentText({ size, chunks, lists }: Entry): string {
  const hashes = (lists ?? chunks ?? []).map(([number, ref]) => [number, ref[0]]);
  return JSON.stringify([size, lists !== undefined, hashes]);
}
