/**
 * When an object is created: its layer and its phase, by the rules of its kind (rules/data).
 *
 * `Prepare` objects are created while the application still runs on the source, so nothing there may run, schedule, publish or order
 * anything: two copies of an application must never act at once. `Activate` objects follow after the final copy.
 */
import type { KubeObject, ResourceType } from '../api/object.ts';
import { isBuiltInGroup } from '../api/served.ts';
import type { PlanPhase } from '../api/plan.ts';
import type { Rules } from '../rules/index.ts';

export interface Placement {
  layer: number;
  phase: PlanPhase;
  why: string;
}

const publishesNames = (object: KubeObject): boolean =>
  Object.keys(object.metadata.annotations ?? {}).some((key) => key.startsWith('external-dns.'));

/** @param definitionMoves true when the definition of this custom resource is created by the same plan, so that nothing acts on it yet */
export function placementOf(object: KubeObject, resource: ResourceType, definitionMoves: boolean, rules: Rules): Placement {
  const { kind, group } = resource;
  if (kind === 'Service' && group === '' && publishesNames(object)) {
    return { layer: 14, phase: 'Activate', why: 'external-dns would publish the name of an application that does not run yet' };
  }
  const { place } = rules.of(kind, group);
  if (place !== undefined) return place;
  if (isBuiltInGroup(group)) return { layer: 4, phase: 'Prepare', why: 'runs nothing by itself' };
  if (definitionMoves) return { layer: 5, phase: 'Prepare', why: 'its definition moves along, so nothing on the target acts on it yet' };
  return { layer: 10, phase: 'Activate', why: 'an operator on the target would act on it at once' };
}
