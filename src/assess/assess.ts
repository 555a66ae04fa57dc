/** The recipe of an assessment: a plan, and the rules of the catalogue over it. Pure: same files, same answers, same result. */
import type { AnswersFile, AssessedFinding, AssessedQuestion, Assessment, Verdict } from '../api/assessment.ts';
import type { Captured } from '../api/captured.ts';
import { byText } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import { apiVersion } from '../api/meta.ts';
import { refText } from '../api/object.ts';
import type { Mapping, Plan } from '../api/plan.ts';
import { chooseVersion, servedAs } from '../api/served.ts';
import type { SurfaceFile } from '../api/surface-file.ts';
import { TranshipError } from '../errors.ts';
import { makePlan } from '../plan/index.ts';
import { version } from '../version.ts';
import { acceptance, answersOf, type Measured } from './answers.ts';
import { CATALOGUE, ruleOf } from './catalogue.ts';
import { ask } from './questions.ts';
import { contextOf, type Proof, type Rule, type RuleContext } from './rule.ts';

export interface AssessInput {
  /** With the application. */
  source: SurfaceFile;
  target: SurfaceFile;
  mapping: Mapping;
  answers: AnswersFile;
  /** How volumes would be read on the source. */
  read: 'Auto' | 'Snapshot' | 'Live';
  /** Findings of a dry run on the target, when one was made. */
  dryRun?: readonly Finding[];
  /** Findings of a probe, when one was made. */
  probe?: { findings: readonly Finding[]; measured: Measured };
}

export interface Assessed {
  assessment: Assessment;
  plan: Plan;
  context: RuleContext;
}

/** @throws InvalidInput when the source's file has no application in it */
export function assess(input: AssessInput): Assessed {
  const { source, target, mapping, answers } = input;
  if (source.application === undefined) {
    throw new TranshipError('InvalidInput', `The file of ${source.surface.cluster.name} holds no application.`, {
      hint: 'Export the source with: tranship surface export --from CONTEXT -n NAMESPACE.',
    });
  }
  const captured = inVersionsOf(source.application, target);
  const known = { dryRun: input.dryRun !== undefined, probed: input.probe !== undefined };
  const plan = makePlan({
    captured,
    source: source.surface,
    target: withoutForeign(target, captured).surface,
    mapping,
    options: { migration: 'assessment', read: { mode: input.read } },
  });
  const context = contextOf({
    captured,
    source,
    target,
    plan,
    answers: answersOf(answers, { ...known, ...(input.probe && { measured: input.probe.measured }) }),
  });
  const made = CATALOGUE.flatMap((rule) =>
    (rule.check?.(context) ?? []).map((found): Finding => ({ ...found, proof: proofOf[rule.proof] })),
  );
  const findings = sorted(
    [...plan.findings, ...made, ...(input.dryRun ?? []), ...(input.probe?.findings ?? [])].map((each) => assessed(each, answers)),
  );
  const questions = ask(answers.answers);
  const open = findings.filter((finding) => finding.accepted === undefined);
  const count = (severity: Finding['severity']) => open.filter((finding) => finding.severity === severity).length;
  const assessment: Assessment = {
    apiVersion,
    kind: 'Assessment',
    tool: version,
    verdict: verdictOf(open, questions),
    source: { ...source.surface.cluster, readAt: source.exportedAt },
    target: { ...target.surface.cluster, readAt: target.exportedAt },
    namespaces: plan.namespaces,
    objects: plan.steps.length,
    volumes: plan.volumes.length,
    volumeBytes: plan.volumes.reduce((sum, volume) => sum + volume.source.capacityBytes, 0),
    counts: {
      block: count('block'),
      unknown: count('unknown'),
      warn: count('warn'),
      info: count('info'),
      accepted: findings.length - open.length,
      openQuestions: questions.filter(({ result }) => result === undefined).length,
    },
    findings,
    ...rulesWithout(findings, known),
    questions,
  };
  return { assessment, plan, context };
}

const proofOf: Readonly<Record<Proof, Finding['proof']>> = { objects: 'read', clusters: 'asked', dryRun: 'asked', probe: 'asked' };

/**
 * Offline the application was read without knowing the target, so in versions that it perhaps does not serve while the source could give
 * another. A move reads in a version of both; the checks look at the object as if it had been.
 */
function inVersionsOf(captured: Captured, target: SurfaceFile): Captured {
  return {
    ...captured,
    objects: captured.objects.map((each) => {
      const wanted = chooseVersion(each.resource, servedAs(each.resource, target.surface.resources));
      if (wanted === undefined || wanted === each.resource.version) return each;
      const { group } = each.resource;
      const object = { ...each.object, apiVersion: group === '' ? wanted : `${group}/${wanted}` };
      return { ...each, object, resource: { ...each.resource, version: wanted } };
    }),
  };
}

/** Refusals about kinds that do not move are none of this plan's business. */
function withoutForeign(target: SurfaceFile, captured: Captured): SurfaceFile {
  const moving = new Set(captured.objects.map(({ resource }) => `${resource.resource}.${resource.group}`));
  const relevant = target.surface.unread?.filter(({ group, resource }) => moving.has(`${resource}.${group}`));
  const { unread, ...surface } = target.surface;
  void unread;
  return { ...target, surface: relevant === undefined || relevant.length === 0 ? surface : { ...surface, unread: relevant } };
}

function assessed(finding: Finding, answers: AnswersFile): AssessedFinding {
  const accepted = acceptance(answers, finding);
  return { rule: ruleOf(finding.id)?.id ?? 'OTHER', ...finding, ...(accepted !== undefined && { accepted }) };
}

function verdictOf(open: readonly AssessedFinding[], questions: readonly AssessedQuestion[]): Verdict {
  if (open.some(({ severity }) => severity === 'block') || questions.some(({ result }) => result === 'block')) return 'blocked';
  const couldBlock = (finding: AssessedFinding) => finding.severity === 'unknown' && ruleOf(finding.id)?.severity === 'block';
  return open.some(couldBlock) || questions.some(({ canBlock, result }) => canBlock && result === undefined) ? 'open' : 'clear';
}

function rulesWithout(
  findings: readonly AssessedFinding[],
  made: { dryRun: boolean; probed: boolean },
): Pick<Assessment, 'passed' | 'notProven'> {
  const spoken = new Set(findings.map(({ rule }) => rule));
  const passed: Assessment['passed'] = [];
  const notProven: Assessment['notProven'] = [];
  for (const { id, title, proof } of CATALOGUE) {
    const reason = missing(proof, made);
    if (reason !== undefined) notProven.push({ rule: id, title, reason });
    else if (!spoken.has(id)) passed.push({ rule: id, title });
  }
  return { passed, notProven };
}

function missing(proof: Rule['proof'], { dryRun, probed }: { dryRun: boolean; probed: boolean }): string | undefined {
  if (proof === 'dryRun' && !dryRun) return 'no object was tried on the target';
  if (proof === 'probe' && !probed) return 'no pod was started on the target to try it';
  return undefined;
}

const SEVERITIES = ['block', 'unknown', 'warn', 'info'];

function sorted(findings: readonly AssessedFinding[]): AssessedFinding[] {
  const key = ({ severity, rule, id, subject, message }: AssessedFinding) =>
    `${SEVERITIES.indexOf(severity)} ${rule} ${id} ${subject === undefined ? '' : refText(subject)} ${message}`;
  const unique = new Map(findings.map((finding) => [key(finding), finding]));
  return [...unique].toSorted(([a], [b]) => byText(a, b)).map(([, finding]) => finding);
}
