/** Owner references: kept where the owner moves too, dropped (and noted) where it does not. Their uids are only known at apply. */
import { fieldAt, find, textOf } from '../api/fields.ts';
import { refText } from '../api/object.ts';
import type { PlanStep } from '../api/plan.ts';

/** Stands for the uid of an owner until apply knows it. The API server refuses it, so it can't be written by accident. */
export const UID_AT_APPLY = '';

/** The refText of the owner that a reference names, in the namespace of the owned object; second try cluster-scoped. */
export function ownerIds(reference: unknown, namespace: string | undefined): string[] {
  const apiVersion = textOf(fieldAt(reference, 'apiVersion')) ?? '';
  const slash = apiVersion.indexOf('/');
  const ref = {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    kind: textOf(fieldAt(reference, 'kind')) ?? '',
    name: textOf(fieldAt(reference, 'name')) ?? '',
  };
  return namespace === undefined ? [refText(ref)] : [refText({ ...ref, namespace }), refText(ref)];
}

export function keepOwners(steps: readonly PlanStep[]): void {
  const moving = new Map(steps.map((step) => [step.id, step]));
  for (const step of steps) {
    for (const hit of find(step.manifest, 'metadata.ownerReferences[*]').toReversed()) {
      const owner = ownerIds(hit.value, step.target.namespace).find((id) => moving.has(id));
      const name = `${String(fieldAt(hit.value, 'kind'))} ${String(fieldAt(hit.value, 'name'))}`;
      if (owner === undefined) {
        hit.remove();
        step.changes.push({ rule: 'OwnerNotCarried', path: hit.pointer, from: name });
        continue;
      }
      for (const uid of find(hit.value, 'uid')) uid.set(UID_AT_APPLY);
      step.changes.push({ rule: 'OwnerRebuilt', path: hit.pointer, from: name, to: owner });
    }
    if (step.manifest.metadata.ownerReferences?.length === 0) delete step.manifest.metadata.ownerReferences;
  }
}
