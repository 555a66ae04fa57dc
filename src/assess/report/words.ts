/** What all reports say in the same words, and how strings from clusters are made harmless: names may hold anything. */
import type { AssessedFinding, Assessment, Verdict } from '../../api/assessment.ts';
import { refText } from '../../api/object.ts';

export const VERDICTS: Readonly<Record<Verdict, string>> = {
  clear: 'Nothing stands against the move.',
  open: 'Nothing is known to stand against the move, but something that could is not known.',
  blocked: 'Something stands against the move.',
};

export const SEVERITY_WORDS = { block: 'blocks', unknown: 'not known', warn: 'warning', info: 'to know' } as const;

export const SEVERITIES = ['block', 'unknown', 'warn', 'info'] as const;

// Control characters steer terminals; the others turn or hide the text around them.
const UNSAFE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** One line without characters that steer a terminal or turn the direction of text. */
export function plain(text: string): string {
  return text.replaceAll(UNSAFE, (character) => (character === '\n' || character === '\t' ? ' ' : '\uFFFD'));
}

export function subjectOf({ subject }: AssessedFinding): string {
  return subject === undefined ? '' : refText(subject);
}

/** Findings that say the same of several objects, told once. */
export function grouped(findings: readonly AssessedFinding[]): { first: AssessedFinding; subjects: string[] }[] {
  const groups = Map.groupBy(findings, (each) => [each.severity, each.rule, each.id, each.message, each.accepted ?? ''].join('\u0000'));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ first, subjects: group.map(subjectOf).filter((subject) => subject !== '') }];
  });
}

export function countsText({ counts }: Assessment): string {
  const parts = [`${counts.block} blocking`, `${counts.unknown} not known`, `${counts.warn} warnings`, `${counts.info} to know`];
  if (counts.accepted > 0) parts.push(`${counts.accepted} accepted`);
  if (counts.openQuestions > 0) parts.push(`${counts.openQuestions} open questions`);
  return parts.join(', ');
}

export function sizeText(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0)} GiB`;
}
