/**
 * apply: a plan → the target cluster. Layered, parallel, resumable; one outcome per object, nothing dropped in silence.
 *
 * Story: `apply.ts` is the recipe; `write.ts` is one object, `passing.ts` what a refusal is called, `pace.ts` how many at
 * once, `owners.ts` the owner references. Afterwards `ready.ts` waits for the application, `starts.ts` and `hopeless.ts` say whether
 * anything of it has run and whether waiting is in vain, `diagnose.ts` why it does not come; `compare.ts` reads everything back.
 */
export { applySteps, type ApplyOptions } from './apply.ts';
export { compareApplied, type Difference } from './compare.ts';
export { manifestHash } from './hash.ts';
export { notReadyDetails, waitReady, type NotReadyDetails, type ReadyOptions } from './ready.ts';
