/** The reference page of the catalogue, made from the rules: docs/findings.md. `make test` fails when it is stale. */
import { CATALOGUE } from './catalogue.ts';
import { coversRelease } from './lifecycle.ts';
import { QUESTIONS } from './questions.ts';
import type { Proof } from './rule.ts';

const PROOFS: Readonly<Record<Proof, string>> = {
  objects: 'the objects alone',
  clusters: 'what both clusters say',
  dryRun: 'a server-side dry run on the target',
  probe: 'a pod on the target, or an answer',
};

const SEVERITIES = { block: 'blocks', warn: 'warning', info: 'to know', unknown: 'not known' } as const;

export function findingsReference(): string {
  const lines = [
    '# The catalogue of findings',
    '',
    '<!-- Made by tools/generate.ts from the rules in src/assess. Do not edit. -->',
    '',
    '`tranship assess` checks these rules; `tranship plan` and `migrate` find those of them that a plan can find. Ids are stable. The severity',
    'is that of the worst finding of a rule. `unknown` findings of a rule that can block keep the verdict open.',
    '',
    `The table of API versions covers Kubernetes up to ${coversRelease}; beyond it the answer is "not known".`,
    '',
    '| rule | what is checked | severity | known from |',
    '|---|---|---|---|',
    ...CATALOGUE.map(
      (rule) => `| [${rule.id}](#${rule.id.toLowerCase()}) | ${rule.title} | ${SEVERITIES[rule.severity]} | ${PROOFS[rule.proof]} |`,
    ),
    '',
  ];
  for (const rule of CATALOGUE) {
    lines.push(
      `## ${rule.id}`,
      '',
      `**${rule.title}.** ${rule.reason}`,
      '',
      `- Evidence: ${rule.reads}.`,
      `- What to do: ${rule.fix}`,
      ...(rule.findings.length === 0 ? [] : [`- Findings: ${rule.findings.map((id) => `\`${id}\``).join(', ')}.`]),
      '',
    );
  }
  lines.push(
    '## Questions',
    '',
    'What no tool can read; the ids are the keys of the answers file.',
    '',
    '| id | question | why | can block |',
    '|---|---|---|---|',
  );
  for (const { id, question, why, canBlock } of QUESTIONS) lines.push(`| \`${id}\` | ${question} | ${why} | ${canBlock ? 'yes' : 'no'} |`);
  return `${lines.join('\n')}\n`;
}
