/** The recipe of a plan: what moves, through which rules, in which order, and what stands against it. */
import type { Captured, CapturedObject } from '../api/captured.ts';
import { byText } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import { refOf, refText, type KubeObject, type ObjectRef } from '../api/object.ts';
import type { Mapping, Plan, PlannedVolume, PlanStep, Surface } from '../api/plan.ts';
import type { Transform } from '../api/transform.ts';
import type { Rules } from '../rules/index.ts';
import { checkObject } from './catalogue.ts';
import { claimExists, collisionFindings, decide, hasOwnVolume, indexExisting, mustExist, type Decision } from './collisions.ts';
import { dropEmpty, type Draft } from './draft.ts';
import { checkInput, unreadFindings } from './input.ts';
import { markManifest } from './marks.ts';
import { keepOwners } from './owners.ts';
import { placementOf } from './placement.ts';
import { groupTogether, type ReadOptions } from './reading.ts';
import { applyRules, ruleContextOf, type RuleContext } from './rules.ts';
import { definitionsMoving, kindFindings, targetType } from './served.ts';
import { mapStorageClasses } from './storage.ts';
import { stoppingFindings } from './stopping.ts';
import { nameCollisions, transformDraft, transforming, unusedTransforms, type Transforming } from './transforming.ts';
import { isUnboundClaim, planVolume, replanVolume } from './volumes.ts';

export interface PlanInput {
  captured: Captured;
  source: Surface;
  target: Surface;
  mapping: Mapping;
  /** What the user wants changed besides; applied after the mapping, in order. */
  transforms?: readonly Transform[];
  /** What is known about kinds. Default: what comes with us. */
  rules?: Rules;
  options: {
    /** Name of the migration: what it created earlier is recognised by it and is no collision. */
    migration: string;
    /** How volumes may be read; absent: from snapshots only. */
    read?: Partial<ReadOptions>;
  };
}

/** What all objects of one plan share. */
interface Context extends Omit<PlanInput, 'rules'>, RuleContext {
  existing: ReadonlyMap<string, KubeObject>;
  definitions: ReadonlySet<string>;
  transforming: Transforming;
}

/**
 * Decides everything that will be written on the target. Pure and deterministic: same input, same bytes; the order of the captured objects
 * does not matter. A plan with a finding of severity `block` must not be started.
 */
export function makePlan(input: PlanInput): Plan {
  const { captured, source, target, mapping } = input;
  const objects = captured.objects.toSorted((a, b) => byText(refText(refOf(a.object)), refText(refOf(b.object))));
  const context = contextOf(input, objects);
  const { renames } = context;

  const findings: Finding[] = [...captured.findings, ...checkInput(captured, mapping, source, target, renames)];
  findings.push(...stoppingFindings(captured));
  findings.push(...unreadFindings(source, 'source'), ...unreadFindings(target, 'target'));
  findings.push(...kindFindings(objects, target, context.definitions));
  const steps: PlanStep[] = [];
  const volumes: PlannedVolume[] = [];
  const colliding: ObjectRef[] = [];
  for (const object of objects) {
    const draft = applyRules(object, context);
    const part =
      isUnboundClaim(object.object, captured.volumes) || object.object.kind !== 'PersistentVolumeClaim'
        ? stepOf(draft, context)
        : volumeOf(draft, context);
    if (part.step !== undefined) steps.push(part.step);
    if (part.volume !== undefined) volumes.push(part.volume);
    if (part.collides !== undefined) colliding.push(part.collides);
    findings.push(...part.findings);
  }
  findings.push(...groupTogether(volumes, source));
  keepOwners(steps);
  if (context.transforming.transforms.length > 0) findings.push(...unusedTransforms(context.transforming), ...nameCollisions(steps));
  findings.push(...collisionFindings(colliding, target.cluster.name), ...catalogueFindings(steps, volumes, context));

  return {
    source: { id: source.cluster.id, name: source.cluster.name },
    target: { id: target.cluster.id, name: target.cluster.name },
    mapping,
    namespaces: [...renames].map(([from, to]) => ({ source: from, target: to })).toSorted((a, b) => byText(a.source, b.source)),
    steps: steps.toSorted((a, b) => a.layer - b.layer || byText(a.id, b.id)),
    volumes,
    ...(input.transforms !== undefined && input.transforms.length > 0 && { transforms: context.transforming.reports }),
    omitted: captured.leftBehind.toSorted((a, b) => byText(refText(a.ref), refText(b.ref))),
    findings: sortFindings(findings),
  };
}

function contextOf(input: PlanInput, objects: readonly CapturedObject[]): Context {
  const { captured, mapping, target } = input;
  return {
    ...input,
    ...ruleContextOf(captured, mapping, input.rules),
    existing: indexExisting(target),
    definitions: definitionsMoving(objects, target),
    transforming: transforming(input.transforms ?? []),
  };
}

interface Part {
  step?: PlanStep;
  volume?: PlannedVolume;
  collides?: ObjectRef;
  findings: Finding[];
}

function decisionOf(draft: Draft, ref: ObjectRef, context: Context): Decision {
  const { captured, manifest } = draft;
  const existing = context.existing.get(refText(ref));
  const targetName = context.target.cluster.name;
  if (isTargetsOwn(captured.object)) return mustExist(ref, existing, targetName);
  return decide(ref, manifest, existing, {
    mapping: context.mapping,
    migration: context.options.migration,
    shared: captured.shared,
    targetName,
  });
}

/** Objects that every cluster brings along by itself: they are looked for on the target, never written. */
function isTargetsOwn(object: KubeObject): boolean {
  return object.metadata.labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults' || object.metadata.name.startsWith('system:');
}

function stepOf(draft: Draft, context: Context): Part {
  const { origin, changes } = draft;
  const mapped = mapStorageClasses(draft, context.mapping, context.source, context.target);
  const transformed = transformDraft(draft, context.transforming);
  // A transform may have named the class that was missing, or one that is.
  const findings = [
    ...(transformed.changed ? mapStorageClasses(draft, asItIs(context), context.source, context.target) : mapped),
    ...transformed.findings,
  ];
  const { manifest } = draft;
  markManifest(draft, context.options.migration);
  dropEmpty(manifest);
  const target = refOf(manifest);
  const decision = decisionOf(draft, target, context);
  if (decision.finding !== undefined) findings.push(decision.finding);
  const resource = targetType(draft.captured.resource, context.target);
  const { layer, phase } = placementOf(manifest, resource, context.definitions.has(`${resource.kind}.${resource.group}`), context.rules);
  const base = { id: refText(target), layer, phase, action: decision.action, resource, origin, target };
  // What stays as it is on the target needs no manifest, and carries no content around.
  const step: PlanStep =
    decision.action === 'Exists' ? { ...base, manifest: nameOnly(manifest), changes: [] } : { ...base, manifest, changes };
  return decision.collides === true ? { step, findings, collides: target } : { step, findings };
}

/** The mapping without what has been mapped already. */
function asItIs({ mapping }: Context): Mapping {
  return { ...mapping, storageClasses: {} };
}

function nameOnly({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

function volumeOf(draft: Draft, context: Context): Part {
  const { captured, mapping, source, target, options } = context;
  const { name, namespace } = draft.origin;
  const from = captured.volumes.find((each) => each.claim === name && each.namespace === namespace);
  if (from === undefined) return { findings: [] };
  const read = { mode: 'Snapshot', warm: true, temporaryClasses: {}, ...options.read } as const;
  const planned = planVolume(from, draft, { mapping, source, target, read });
  const transformed = transformDraft(draft, context.transforming);
  const { volume, findings } = transformed.changed ? replanVolume(planned, draft, asItIs(context), target) : planned;
  findings.push(...transformed.findings);
  markManifest(draft, options.migration);
  dropEmpty(draft.manifest);
  const ref = refOf(draft.manifest);
  const existing = context.existing.get(refText(ref));
  const decision = decide(ref, draft.manifest, existing, {
    mapping: { ...mapping, existing: 'Fail' },
    migration: options.migration,
    shared: false,
    targetName: target.cluster.name,
  });
  if (decision.collides !== true) {
    return { volume, findings: hasOwnVolume(existing) ? [...findings, claimExists(ref, target.cluster.name)] : findings };
  }
  if (mapping.existing === 'Fail') return { volume, findings, collides: ref };
  return { volume, findings: [...findings, claimExists(ref, target.cluster.name)] };
}

function catalogueFindings(steps: readonly PlanStep[], volumes: readonly PlannedVolume[], context: Context): Finding[] {
  const key = (kind: string, name: string, namespace: string | undefined) => `${kind} ${namespace ?? ''}/${name}`;
  const there = new Set(steps.map(({ target }) => key(target.kind, target.name, target.namespace)));
  for (const { targetClaim, targetNamespace } of volumes) there.add(key('PersistentVolumeClaim', targetClaim, targetNamespace));
  for (const { kind, metadata } of context.target.existing) there.add(key(kind, metadata.name, metadata.namespace));
  // Every namespace gets these from its cluster.
  const given = (kind: string, name: string) =>
    (kind === 'ServiceAccount' && name === 'default') || (kind === 'ConfigMap' && name === 'kube-root-ca.crt');
  const moving = new Set(context.renames.keys());
  return steps
    .filter((step) => step.action !== 'Exists')
    .flatMap((step) =>
      checkObject(step.manifest, step.origin, {
        group: step.resource.group,
        source: context.source,
        target: context.target,
        moving,
        names: context.names,
        dnsNamesRewritten: context.mapping.dnsNames,
        has: (kind, name, namespace) => given(kind, name) || there.has(key(kind, name, namespace)),
      }),
    );
}

const SEVERITIES = ['block', 'unknown', 'warn', 'info'];

function sortFindings(findings: readonly Finding[]): Finding[] {
  const key = (finding: Finding) =>
    `${SEVERITIES.indexOf(finding.severity)} ${finding.id} ${finding.subject === undefined ? '' : refText(finding.subject)} ${finding.message}`;
  return findings.toSorted((a, b) => byText(key(a), key(b)));
}
