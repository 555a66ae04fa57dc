/** Which nodes of the target a pod could run on, as the scheduler's filters see it. Pure. */
import { fieldAt, listOf, recordOf, textOf } from '../../api/fields.ts';
import type { KubeObject } from '../../api/object.ts';
import { bytesOf, milliOf } from '../../api/quantity.ts';
import type { Side } from '../rule.ts';

export interface NodeRoom {
  node: KubeObject;
  labels: Record<string, string>;
  /** Allocatable less what pods ask for already; all of it when that is not known. */
  cpuMillis: number;
  memoryBytes: number;
  pods: number;
}

/** Ready nodes that take pods, with their room. */
export function roomOf({ facts }: Side): NodeRoom[] {
  return facts.objects
    .filter((object) => object.kind === 'Node' && isReady(object) && fieldAt(object, 'spec', 'unschedulable') !== true)
    .map((node) => {
      const used = facts.usage?.find((each) => each.node === node.metadata.name);
      const allocatable = recordOf(fieldAt(node, 'status', 'allocatable'));
      return {
        node,
        labels: { ...node.metadata.labels },
        cpuMillis: milliOf(allocatable['cpu']) - (used?.cpuMillis ?? 0),
        memoryBytes: bytesOf(allocatable['memory']) - (used?.memoryBytes ?? 0),
        pods: bytesOf(allocatable['pods']) - (used?.pods ?? 0),
      };
    });
}

function isReady(node: KubeObject): boolean {
  return listOf(fieldAt(node, 'status', 'conditions')).some(
    (each) => fieldAt(each, 'type') === 'Ready' && fieldAt(each, 'status') === 'True',
  );
}

/** Why a pod can't run on a node; undefined when labels and taints let it. */
export function refusal(spec: unknown, { node, labels }: NodeRoom): 'selector' | 'affinity' | 'taint' | undefined {
  for (const [key, value] of Object.entries(recordOf(fieldAt(spec, 'nodeSelector')))) if (labels[key] !== value) return 'selector';
  const required = fieldAt(spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms');
  // Terms are alternatives; a term's expressions must all be true.
  if (required !== undefined && !listOf(required).some((term) => termMatches(term, node, labels))) return 'affinity';
  const tolerations = listOf(fieldAt(spec, 'tolerations'));
  const repelled = listOf(fieldAt(node, 'spec', 'taints')).some(
    (taint) =>
      ['NoSchedule', 'NoExecute'].includes(String(fieldAt(taint, 'effect'))) && !tolerations.some((each) => tolerates(each, taint)),
  );
  return repelled ? 'taint' : undefined;
}

function termMatches(term: unknown, node: KubeObject, labels: Record<string, string>): boolean {
  const expressions = listOf(fieldAt(term, 'matchExpressions'));
  const fields = listOf(fieldAt(term, 'matchFields'));
  if (expressions.length + fields.length === 0) return false;
  return (
    expressions.every((each) => expressionMatches(each, labels[textOf(fieldAt(each, 'key')) ?? ''])) &&
    fields.every((each) => expressionMatches(each, node.metadata.name))
  );
}

function expressionMatches(expression: unknown, value: string | undefined): boolean {
  const values = listOf(fieldAt(expression, 'values')).map(String);
  switch (fieldAt(expression, 'operator')) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
}

function tolerates(toleration: unknown, taint: unknown): boolean {
  const effect = textOf(fieldAt(toleration, 'effect')) ?? '';
  if (effect !== '' && effect !== fieldAt(taint, 'effect')) return false;
  const key = textOf(fieldAt(toleration, 'key')) ?? '';
  const exists = fieldAt(toleration, 'operator') === 'Exists';
  if (key === '') return exists;
  return key === fieldAt(taint, 'key') && (exists || (fieldAt(toleration, 'value') ?? '') === (fieldAt(taint, 'value') ?? ''));
}
