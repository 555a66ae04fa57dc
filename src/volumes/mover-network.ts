/** A way out for movers where a namespace lets its pods reach nobody: they need the store, and nothing needs them. */
import type { KubeObject } from '../api/object.ts';
import { codeOf } from '../errors.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { createOrGet } from './create.ts';
import { moverLabels } from './mover-manifest.ts';

interface PolicySpec {
  podSelector?: { matchLabels?: Record<string, string>; matchExpressions?: { key: string; operator: string; values?: string[] }[] };
  policyTypes?: string[];
  egress?: unknown;
}

/**
 * Makes a policy that lets the movers of this migration out, if the namespace holds them back; others of its pods are held back as before. The
 * store is known by name, which policies cannot say, so the way out is not narrowed. The sweep removes it.
 */
export async function openNetwork(client: KubeClient, where: { migration: string; namespace: string }, signal: AbortSignal): Promise<void> {
  const { migration, namespace } = where;
  const labels = moverLabels(migration);
  let held = false;
  try {
    for await (const policy of client.list(resources.networkPolicies, { namespace, signal })) held ||= holdsBack(policy, labels);
  } catch (error) {
    if (codeOf(error) !== 'Forbidden') throw error; // not ours to know: a mover that reaches no store says so itself
  }
  if (!held) return;
  const manifest: KubeObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `tranship-movers-${migration.replaceAll('.', '-')}`, namespace, labels },
    spec: { podSelector: { matchLabels: labels }, policyTypes: ['Egress'], egress: [{}] },
  };
  await createOrGet(client, resources.networkPolicies, manifest, signal);
}

/** Pure: does this policy decide where pods with these labels may connect to? A policy without types does when it has egress rules. */
export function holdsBack(policy: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  const { podSelector = {}, policyTypes, egress } = (policy['spec'] ?? {}) as PolicySpec;
  if (!(policyTypes?.includes('Egress') ?? egress !== undefined)) return false;
  const equal = Object.entries(podSelector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return equal && (podSelector.matchExpressions ?? []).every((term) => holds(term, labels[term.key]));
}

function holds({ operator, values = [] }: { operator: string; values?: string[] }, value: string | undefined): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const listed = value !== undefined && values.includes(value);
  return operator === 'NotIn' ? !listed : listed;
}
