/** An assessment for a terminal. */
import type { Assessment } from '../../api/assessment.ts';
import { countsText, grouped, plain, SEVERITIES, SEVERITY_WORDS, sizeText, VERDICTS } from './words.ts';

const SHOWN = 3;

/** @param verbose also what passed, and every object of a finding */
export function textReport(assessment: Assessment, options: { verbose?: boolean } = {}): string {
  const { source, target, namespaces } = assessment;
  const lines = [
    `Assessment: ${source.name} (${source.version}) → ${target.name} (${target.version})`,
    ...namespaces.map((each) => `  namespace ${each.source}${each.source === each.target ? '' : ` → ${each.target}`}`),
    `  ${assessment.objects} objects, ${assessment.volumes} volumes with ${sizeText(assessment.volumeBytes)}`,
  ];
  for (const severity of SEVERITIES) {
    const groups = grouped(assessment.findings.filter((each) => each.severity === severity && each.accepted === undefined));
    if (groups.length > 0) lines.push('', `${SEVERITY_WORDS[severity].toUpperCase()} (${groups.length}):`);
    for (const { first, subjects } of groups) {
      const shown = options.verbose === true ? subjects : subjects.slice(0, SHOWN);
      const who =
        shown.length === 0
          ? ''
          : `${shown.join(', ')}${subjects.length > shown.length ? ` and ${subjects.length - shown.length} more` : ''}: `;
      lines.push(`  ${first.rule.padEnd(6)} ${first.id}  ${who}${first.message}`);
      if (first.fix !== undefined) lines.push(`         → ${first.fix}`);
    }
  }
  const accepted = grouped(assessment.findings.filter((each) => each.accepted !== undefined));
  if (accepted.length > 0) lines.push('', `ACCEPTED (${accepted.length}):`);
  for (const { first } of accepted) lines.push(`  ${first.rule.padEnd(6)} ${first.id}  ${first.message} (${first.accepted ?? ''})`);
  if (assessment.notProven.length > 0) lines.push('', `NOT PROVEN (${assessment.notProven.length}):`);
  for (const { rule, title, reason } of assessment.notProven) lines.push(`  ${rule.padEnd(6)} ${title}: ${reason}`);
  if (options.verbose === true && assessment.passed.length > 0) {
    lines.push(
      '',
      `NOTHING FOUND (${assessment.passed.length}):`,
      ...assessment.passed.map(({ rule, title }) => `  ${rule.padEnd(6)} ${title}`),
    );
  }
  const open = assessment.questions.filter(({ result }) => result === undefined);
  if (open.length > 0)
    lines.push('', `QUESTIONS THAT NOBODY HAS ANSWERED (${open.length}; --answers FILE, --print-answers prints one to fill in):`);
  for (const { id, question, canBlock } of open) lines.push(`  ${canBlock ? '!' : ' '} ${id}: ${question}`);
  const judged = assessment.questions.filter(({ remark }) => remark !== undefined);
  if (judged.length > 0) lines.push('', 'ANSWERS THAT MATTER:');
  for (const { id, result, remark, answer } of judged) lines.push(`  ${result ?? ''} ${id} (${answer ?? ''}): ${remark ?? ''}`);
  lines.push('', `${VERDICTS[assessment.verdict]} ${countsText(assessment)}.`);
  return `${lines.map(plain).join('\n')}\n`;
}
