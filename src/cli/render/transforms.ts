/** What transforms did to objects, for people: per object and operation what it met and what it changed. Values of Secrets are never shown. */
import { refText, type ObjectRef } from '../../api/object.ts';
import type { Rehearsed } from '../../plan/index.ts';
import { count } from '../../quantity-text.ts';

const LONGEST = 160;

export function transformLines(names: readonly string[], tried: readonly Rehearsed[]): string[] {
  const lines: string[] = [];
  for (const [index, name] of names.entries()) {
    const fitting = tried.flatMap((each) => each.results.filter((result) => result.index === index).map((result) => ({ ...each, result })));
    lines.push(`Transform ${name}: fits ${count(fitting.length, 'object')}`);
    for (const { origin, result, object } of fitting) {
      lines.push(`  ${refText(origin)}`);
      for (const { operation, outcome, hits, changes, reason } of result.operations) {
        lines.push(`    ${operation}  ${outcomeText(outcome, hits, changes.length)}${reason === undefined ? '' : `: ${reason}`}`);
        lines.push(...changes.map((change) => `      ${changeText(change, object.kind === 'Secret')}`));
      }
    }
  }
  for (const { origin, problem } of tried) {
    if (problem?.operation === 'subject')
      lines.push(`Transform ${problem.transform}: its subject can't be asked of ${refText(origin)}: ${problem.reason}`);
  }
  return [...lines, '', summary(tried)];
}

function outcomeText(outcome: string, hits: number, changed: number): string {
  switch (outcome) {
    case 'Changed':
      return `${count(hits, 'place')}, ${changed} changed`;
    case 'Unchanged':
      return `${count(hits, 'place')}, nothing changed`;
    case 'Held':
      return `holds at ${count(hits, 'place')}`;
    case 'NotHeld':
      return 'does not hold: the rest is skipped';
    case 'Skipped':
      return 'skipped';
    default:
      return 'FAILED';
  }
}

function changeText({ path, from, to }: { path: string; from?: unknown; to?: unknown }, hidden: boolean): string {
  if (hidden) return path;
  const value = (each: unknown) => {
    const text = JSON.stringify(each);
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  };
  return `${path}: ${from === undefined ? '(nothing)' : value(from)} → ${to === undefined ? '(removed)' : value(to)}`;
}

function summary(tried: readonly Rehearsed[]): string {
  const changed = tried.filter(({ results }) => results.some(({ operations }) => operations.some(({ outcome }) => outcome === 'Changed')));
  const failed = tried.filter(({ problem }) => problem !== undefined);
  const end = failed.length === 0 ? '' : ` ${count(failed.length, 'object')} can't be transformed: a move would not start.`;
  return `${count(tried.length, 'object')} tried, ${changed.length} changed.${end}`;
}

/** For programs: the same, with the objects as they would be written; without the values of Secrets. */
export function transformJson(
  names: readonly string[],
  tried: readonly Rehearsed[],
  redact: (object: Rehearsed['object']) => unknown,
): unknown {
  return {
    transforms: names.map((name, index) => ({
      name,
      objects: tried.filter(({ results }) => results.some((result) => result.index === index)).length,
    })),
    objects: tried
      .filter(({ results, problem }) => results.length > 0 || problem !== undefined)
      .map(({ origin, results, problem, object }) => ({
        origin: origin satisfies ObjectRef,
        results: results.map((result) => (object.kind === 'Secret' ? withoutValues(result) : result)),
        ...(problem !== undefined && { problem }),
        object: redact(object),
      })),
  };
}

function withoutValues(result: Rehearsed['results'][number]): unknown {
  return { ...result, operations: result.operations.map((each) => ({ ...each, changes: each.changes.map(({ path }) => ({ path })) })) };
}
