/**
 * The command line: one file per verb in verbs/ (help text, options), its story beside this file. It writes the same objects that the
 * installed product reads, runs the engine in its own process, prints, and never decides.
 */
export { cliReference } from './reference.ts';
export { runCli } from './run.ts';
export type { Engine, Output, Surroundings } from './surroundings.ts';
