/** What a rule of the catalogue is: data about the check, and (where the plan does not find it already) a pure function that makes it. */
import type { ClusterFacts } from '../api/facts.ts';
import { fieldAt, podTemplateOf } from '../api/fields.ts';
import type { Finding, Severity } from '../api/finding.ts';
import type { KubeObject, ObjectRef, ResourceType } from '../api/object.ts';
import type { Captured } from '../api/captured.ts';
import type { Plan, Surface } from '../api/plan.ts';
import type { Answers } from './answers.ts';

/**
 * How a rule knows: from the exported objects alone, from what was read of both clusters, from a server-side dry run on the target, or from
 * a pod there.
 */
export type Proof = 'objects' | 'clusters' | 'dryRun' | 'probe';

export interface Rule {
  /** Stable; reports of different versions can be compared by it. */
  id: string;
  title: string;
  /** The severity that its worst finding has. */
  severity: Severity;
  proof: Proof;
  /** Where the evidence comes from. */
  reads: string;
  fix: string;
  /** Why the rule exists. */
  reason: string;
  /** Ids of the findings that belong to it, those of capture and plan too. */
  findings: readonly string[];
  check?: (context: RuleContext) => Found[];
}

/** A finding before the rule's proof is added. */
export type Found = Omit<Finding, 'proof'>;

export interface Side {
  surface: Surface;
  facts: ClusterFacts;
}

export interface Workload {
  /** As it is called on the source. */
  ref: ObjectRef;
  /** Namespace on the target. */
  namespace: string;
  object: KubeObject;
  template: Record<string, unknown>;
  spec: unknown;
  /** Pods that it keeps, when every one is up. */
  replicas: number;
}

export interface Moving {
  object: KubeObject;
  origin: ObjectRef;
  resource: ResourceType;
}

export interface RuleContext {
  captured: Captured;
  source: Side;
  target: Side;
  plan: Plan;
  answers: Answers;
  /** Everything that would be written, as it would be written. */
  moving: readonly Moving[];
  workloads: readonly Workload[];
}

export function contextOf(input: Omit<RuleContext, 'moving' | 'workloads'>): RuleContext {
  const written = input.plan.steps.filter((step) => step.action !== 'Exists');
  const moving = written.map(({ manifest, origin, resource }) => ({ object: manifest, origin, resource }));
  const nodes = factsOf(input.target, 'Node').length;
  const workloads = moving.flatMap(({ object, origin }): Workload[] => {
    const pods = podTemplateOf(object);
    if (pods === undefined || object.kind === 'PodTemplate') return [];
    const { template } = pods;
    const replicas = replicasOf(object, nodes);
    return [{ ref: origin, namespace: object.metadata.namespace ?? '', object, template, spec: template['spec'], replicas }];
  });
  return { ...input, moving, workloads };
}

function replicasOf(object: KubeObject, nodes: number): number {
  if (object.kind === 'DaemonSet') return nodes;
  const given = fieldAt(object, 'spec', object.kind === 'Job' ? 'parallelism' : 'replicas');
  return typeof given === 'number' ? given : 1;
}

/** The facts of a kind. */
export function factsOf({ facts }: Side, kind: string): KubeObject[] {
  return facts.objects.filter((object) => object.kind === kind);
}

/** Could the kind be read on this side? Not known is another thing than nothing. */
export function isKnown({ facts }: Side, resource: string, group = ''): boolean {
  return !facts.unread.some((each) => each.group === group && each.resource === resource);
}

/** `a, b, c and 4 more`. */
export function some(names: readonly string[], shown = 5): string {
  const unique = [...new Set(names)].toSorted();
  return unique.length <= shown ? unique.join(', ') : `${unique.slice(0, shown).join(', ')} and ${unique.length - shown} more`;
}
