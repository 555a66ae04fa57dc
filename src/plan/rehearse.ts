/** Transforms tried on the objects of a restore point: what the mapping makes of each, and what the transforms make of that. Asks no cluster. */
import type { Captured } from '../api/captured.ts';
import { byText, textOf } from '../api/fields.ts';
import { refOf, refText, type ObjectRef } from '../api/object.ts';
import type { Mapping } from '../api/plan.ts';
import type { Transform } from '../api/transform.ts';
import { applyRules, ruleContextOf } from './rules.ts';
import { classFields } from './storage.ts';
import { transformObject, type Transformed } from './transform/transform.ts';

export interface Rehearsed extends Transformed {
  /** As the source calls it. */
  origin: ObjectRef;
}

/**
 * @param mapping as the move would have it. Storage classes are mapped by name only: what the target has is not asked
 * @example for (const { origin, results } of rehearse(captured, mapping, transforms)) print(origin, results);
 */
export function rehearse(captured: Captured, mapping: Mapping, transforms: readonly Transform[]): Rehearsed[] {
  const context = ruleContextOf(captured, mapping);
  return captured.objects
    .toSorted((a, b) => byText(refText(refOf(a.object)), refText(refOf(b.object))))
    .map((each) => {
      const { manifest, origin } = applyRules(each, context);
      const { group, version, resource } = each.resource;
      for (const hit of classFields(manifest, group)) {
        const mapped = mapping.storageClasses[textOf(hit.value) ?? ''];
        if (mapped !== undefined) hit.set(mapped);
      }
      const { name, namespace } = origin;
      return { origin, ...transformObject(manifest, { group, version, resource, name, namespace }, transforms) };
    });
}
