/**
 * plan: captured objects + what source and target look like + mapping → every object that will be written, in which order, and what stands
 * against it. PURE: no cluster, no clock, no randomness; same input, same bytes.
 *
 * Story: `plan.ts` is the recipe; `rules.ts` says what happens to each object (`server-fields.ts`, `service.ts`, `namespaces.ts`,
 * `dns-names.ts`, `storage.ts`, volumes in `volumes.ts` and `reading.ts`), `transforming.ts` applies the user's transforms (`transform/`),
 * `placement.ts` when it is created, `collisions.ts` what to do when it is there already, `catalogue.ts` what a
 * person should know.
 */
export { makePlan, type PlanInput } from './plan.ts';
export { MANIFEST_HASH_ANNOTATION, MIGRATION_ANNOTATION, REPLICAS_ANNOTATION } from './marks.ts';
export { ownerIds, UID_AT_APPLY } from './owners.ts';
export type { ReadOptions } from './reading.ts';
export { redactObject, redactPlan } from './redact.ts';
export type { Identity } from './transform/subject.ts';
export { transformObject, type OperationResult, type Transformed, type TransformResult } from './transform/transform.ts';
export { rehearse, type Rehearsed } from './rehearse.ts';
export { renderPlan } from './render.ts';
