/** The answers file, and what rules ask of it. */
import { parseDocument } from 'yaml';
import { answersSchema, type AnswersFile } from '../api/assessment.ts';
import { refText } from '../api/object.ts';
import type { Finding } from '../api/finding.ts';
import { TranshipError } from '../errors.ts';
import { QUESTIONS } from './questions.ts';

/** What is known besides the clusters: from the file, and from a dry run or probe that was made. */
export interface Answers {
  /** A server-side dry run was made; its findings are part of the assessment. */
  dryRun: boolean;
  /** A probe was made; the same. */
  probed: boolean;
  onceAnswered: boolean;
  /** undefined: nobody knows. */
  reachable: (endpoint: string) => boolean | undefined;
  registry: (host: string) => boolean | undefined;
  neverTwice: (name: string) => boolean;
}

/** What a probe has measured: endpoints it reached or not. Outweighs what a file says. */
export type Measured = ReadonlyMap<string, boolean>;

export const noAnswers: AnswersFile = answersSchema.parse({ apiVersion: 'tranship.io/v1alpha1', kind: 'AssessmentAnswers' });

const LARGEST = 2 ** 20;

/** @throws InvalidInput naming the place in the file */
export function parseAnswers(yaml: string, name: string): AnswersFile {
  const invalid = (what: string) =>
    new TranshipError('InvalidInput', `${name}: ${what}`, { hint: 'tranship assess --print-answers prints a file to fill in.' });
  if (yaml.length > LARGEST) throw invalid('it is larger than 1 MiB.');
  const document = parseDocument(yaml);
  const [error] = document.errors;
  if (error !== undefined) throw invalid(error.message.split('\n')[0] ?? 'it is not YAML.');
  const parsed = answersSchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}.`);
  }
  const known = new Set(QUESTIONS.map(({ id }) => id));
  const strange = Object.keys(parsed.data.answers).find((id) => !known.has(id));
  if (strange !== undefined) throw invalid(`answers.${strange} is no question; they are ${[...known].join(', ')}.`);
  return parsed.data;
}

export function answersOf(file: AnswersFile, made: { dryRun: boolean; probed: boolean; measured?: Measured }): Answers {
  const look = (record: Record<string, 'reachable' | 'unreachable'>, key: string) =>
    Object.hasOwn(record, key) ? record[key] === 'reachable' : undefined;
  const hostOf = (endpoint: string) => endpoint.replace(/:\d+$/, '');
  const once = file.answers['never-twice'];
  const names = Array.isArray(once) ? once : String(once ?? '').split(/[\s,]+/);
  return {
    dryRun: made.dryRun,
    probed: made.probed,
    onceAnswered: once !== undefined && once !== null && once !== '',
    reachable: (endpoint) => made.measured?.get(endpoint) ?? look(file.endpoints, endpoint) ?? look(file.endpoints, hostOf(endpoint)),
    registry: (host) => look(file.registries, host),
    neverTwice: (name) => names.includes(name),
  };
}

/** The reason with which a finding is accepted. What blocks cannot be: the move itself would refuse it. */
export function acceptance(file: AnswersFile, finding: Finding): string | undefined {
  if (finding.severity === 'block') return undefined;
  const subject = finding.subject === undefined ? undefined : refText(finding.subject);
  return file.accepted.find((each) => each.finding === finding.id && (each.subject === undefined || each.subject === subject))?.reason;
}
