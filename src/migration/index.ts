/**
 * The state machine of a migration: capture, plan, prepare, seed, freeze, final sync, verify, rebind, activate. Each step writes down
 * what it is about to do before it does it, so that any process can go on where another one died.
 *
 * Story: `run.ts` is the loop over the steps, `steps/*.ts` one file per step, `undo.ts` and `rollback.ts` the ways back.
 */
export type { EngineOptions, Journal } from './engine.ts';
export { runMigration } from './run.ts';
export { readCapture } from './restore-point.ts';
export { planMigration, type PlannedMigration } from './plan-only.ts';
