/** An assessment for a wiki, an issue or a pull request. */
import type { Assessment } from '../../api/assessment.ts';
import { countsText, grouped, plain, SEVERITIES, SEVERITY_WORDS, sizeText, VERDICTS } from './words.ts';

/** Text that stays text: neither HTML nor a link, an emphasis, a mention or the end of a table's cell. */
export function markdownText(text: string): string {
  return plain(text)
    .replaceAll(/[\\`*_{}[\]()#+!|~<>&@$]/g, (character) => {
      if (character === '<') return '&lt;';
      if (character === '>') return '&gt;';
      if (character === '&') return '&amp;';
      if (character === '@') return '&#64;';
      return `\\${character}`;
    })
    .replaceAll('://', ':\u2060//');
}

export function markdownReport(assessment: Assessment): string {
  const { source, target, namespaces } = assessment;
  const t = markdownText;
  const lines = [
    `# Assessment: ${t(source.name)} to ${t(target.name)}`,
    '',
    `**${VERDICTS[assessment.verdict]}** ${countsText(assessment)}.`,
    '',
    `| | source | target |`,
    '|---|---|---|',
    `| cluster | ${t(source.name)} | ${t(target.name)} |`,
    `| Kubernetes | ${t(source.version)} | ${t(target.version)} |`,
    `| read at | ${t(source.readAt)} | ${t(target.readAt)} |`,
    ...namespaces.map((each) => `| namespace | ${t(each.source)} | ${t(each.target)} |`),
    '',
    `${assessment.objects} objects, ${assessment.volumes} volumes with ${sizeText(assessment.volumeBytes)}.`,
  ];
  for (const severity of SEVERITIES) {
    const groups = grouped(assessment.findings.filter((each) => each.severity === severity && each.accepted === undefined));
    if (groups.length === 0) continue;
    lines.push(
      '',
      `## ${capital(SEVERITY_WORDS[severity])} (${groups.length})`,
      '',
      '| rule | finding | object | what was seen | what to do |',
      '|---|---|---|---|---|',
    );
    for (const { first, subjects } of groups) {
      lines.push(`| ${first.rule} | ${t(first.id)} | ${subjects.map(t).join('<br>')} | ${t(first.message)} | ${t(first.fix ?? '')} |`);
    }
  }
  const accepted = assessment.findings.filter((each) => each.accepted !== undefined);
  if (accepted.length > 0) lines.push('', `## Accepted (${accepted.length})`, '');
  for (const each of accepted) lines.push(`- ${each.rule} ${t(each.id)}: ${t(each.message)} (${t(each.accepted ?? '')})`);
  lines.push('', '## Questions', '', '| | question | answer | |', '|---|---|---|---|');
  for (const each of assessment.questions) {
    lines.push(
      `| ${t(each.id)} | ${t(each.question)} | ${each.answer === undefined ? '**open**' : t(each.answer)} | ${t(each.remark ?? '')} |`,
    );
  }
  if (assessment.notProven.length > 0) lines.push('', '## Not proven', '');
  for (const { rule, title, reason } of assessment.notProven) lines.push(`- ${rule} ${t(title)}: ${t(reason)}`);
  if (assessment.passed.length > 0) lines.push('', '## Nothing found', '');
  for (const { rule, title } of assessment.passed) lines.push(`- ${rule} ${t(title)}`);
  return `${lines.join('\n')}\n`;
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
