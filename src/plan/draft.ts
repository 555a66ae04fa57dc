/** One object on its way through the rules: its manifest so far, and what was changed by which rule. */
import type { CapturedObject } from '../api/captured.ts';
import { find, type Hit } from '../api/fields.ts';
import { refOf, type KubeObject, type ObjectRef } from '../api/object.ts';
import type { PlanStep } from '../api/plan.ts';

export type Change = PlanStep['changes'][number];

export interface Draft {
  captured: CapturedObject;
  origin: ObjectRef;
  manifest: KubeObject;
  changes: Change[];
}

/** Longer values are named by path only: a report of changes is read by people. */
const LONGEST_SHOWN = 200;

export function draftOf(captured: CapturedObject): Draft {
  return { captured, origin: refOf(captured.object), manifest: structuredClone(captured.object), changes: [] };
}

/** A value as a report may show it: nothing below a Secret's data, and no bulk. */
function shown(draft: Draft, pointer: string, value: unknown): unknown {
  if (draft.manifest.kind === 'Secret' && !pointer.startsWith('/metadata/')) return undefined;
  if (pointer.includes('last-applied-configuration')) return undefined;
  if (value === undefined || JSON.stringify(value).length > LONGEST_SHOWN) return undefined;
  return value;
}

/** Notes a change that somebody else has made in the manifest. Of a Secret only the place: such a change may carry a value anywhere. */
export function noteChange(draft: Draft, rule: string, pointer: string, from: unknown, to: unknown): void {
  if (draft.manifest.kind === 'Secret') draft.changes.push({ rule, path: pointer });
  else note(draft, rule, pointer, from, to);
}

function note(draft: Draft, rule: string, pointer: string, from: unknown, to: unknown): void {
  const change: Change = { rule, path: pointer };
  const shownFrom = shown(draft, pointer, from);
  const shownTo = shown(draft, pointer, to);
  if (shownFrom !== undefined) change.from = shownFrom;
  if (shownTo !== undefined) change.to = shownTo;
  draft.changes.push(change);
}

export function removeField(draft: Draft, rule: string, hit: Hit): void {
  hit.remove();
  note(draft, rule, hit.pointer, hit.value, undefined);
}

/** Sets a field when the value differs. `told` replaces from and to in the report, where the whole value may hold a password. */
export function setField(draft: Draft, rule: string, hit: Hit, to: unknown, told?: { from: unknown; to: unknown }): void {
  if (hit.value === to) return;
  hit.set(to);
  note(draft, rule, hit.pointer, told === undefined ? hit.value : told.from, told === undefined ? to : told.to);
}

/** Removes everything at the paths. Later items of a list first, so that the indexes of the earlier ones stay true. */
export function removePaths(draft: Draft, rule: string, paths: readonly string[]): void {
  for (const path of paths) {
    for (const hit of find(draft.manifest, path).toReversed()) removeField(draft, rule, hit);
  }
}

/** Removes containers that the rules have left empty, as the API server would. */
export function dropEmpty(manifest: KubeObject): void {
  for (const path of ['metadata.annotations', 'metadata.labels', 'metadata.finalizers', 'metadata.ownerReferences']) {
    for (const hit of find(manifest, path)) {
      if (hit.value === null || (typeof hit.value === 'object' && Object.keys(hit.value).length === 0)) hit.remove();
    }
  }
}
