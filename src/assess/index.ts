/**
 * assess: would a move of this application to that cluster work, and how do we know? Over the plan's findings and the same objects, one
 * catalogue of rules; live, or from files that each side exported.
 *
 * Story: `read.ts` reads one side (`capture/facts.ts` does most of it), `reduce.ts` cuts it down to what may leave the cluster, `surface-file.ts`
 * writes and reads it; `assess.ts` is the recipe; `catalogue.ts` and `rules/` are the rules, `questions.ts` and `answers.ts` what only people
 * know; `report/` prints.
 */
export { answersTemplate } from './questions.ts';
export { noAnswers, parseAnswers } from './answers.ts';
export { assess, type Assessed, type AssessInput } from './assess.ts';
export { CATALOGUE } from './catalogue.ts';
export { coversRelease } from './lifecycle.ts';
export { readSide, type ReadOptions } from './read.ts';
export { findingsReference } from './reference.ts';
export { htmlReport } from './report/html.ts';
export { markdownReport } from './report/markdown.ts';
export { textReport } from './report/text.ts';
export { parseSurfaceFile } from './surface-file.ts';
