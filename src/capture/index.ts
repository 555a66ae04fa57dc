/**
 * capture: which objects belong to an application, and what a cluster looks like from the plan's side. Reads only.
 *
 * Story: `capture.ts` is the recipe; `leave-behind.ts` is the table of what stays, `closure.ts` follows what objects name
 * (rules/) to what is needed from outside of the namespaces; `volumes.ts` finds the data behind claims; `stopping.ts` says what a freeze can stop, `running.ts` finds what
 * it can't; `surface.ts` describes a source or target, `facts.ts` what an assessment asks beyond that (`fact-kinds.ts` is its table). All of them
 * read through `reading.ts`, which takes no bad moment for "nothing there".
 */
export { capture, type CaptureOptions } from './capture.ts';
export { FACT_KINDS, type FactKind } from './fact-kinds.ts';
export { readFacts, requestsOf, type FactsOptions } from './facts.ts';
export { EXCLUDE_LABEL } from './leave-behind.ts';
export { controllerOf, isStoppable, mustStop } from './stopping.ts';
export { readSurface, type SurfaceOptions } from './surface.ts';
