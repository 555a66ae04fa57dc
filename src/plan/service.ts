/**
 * Addresses and ports of a Service: what the source has allocated is given back, what the user chose is kept.
 *
 * The API server allocates after it has computed `managedFields`, so a node port that stands there (or in the annotation of `kubectl
 * apply`) was sent by somebody. Evidence in both places counts: `kubectl apply` followed by `kubectl patch` leaves the port only in the second.
 */
import { fieldAt, find, isRecord, listOf, recordOf, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { Mapping } from '../api/plan.ts';
import { removeField, removePaths, type Draft } from './draft.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object as `kubectl apply` last saw it; undefined when it was not made so. */
export function lastApplied(object: KubeObject): Record<string, unknown> | undefined {
  const text = object.metadata.annotations?.[LAST_APPLIED];
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined; // somebody wrote something else there; then it is no evidence
  }
}

/** Did a client send `spec.<field>`? */
export function userSetSpec(object: KubeObject, field: string): boolean {
  if (fieldAt(lastApplied(object), 'spec', field) !== undefined) return true;
  return listOf(object.metadata.managedFields).some((entry) => fieldAt(entry, 'fieldsV1', 'f:spec', `f:${field}`) !== undefined);
}

/** Did a client send the node port of this port? */
export function userSetNodePort(service: KubeObject, port: Record<string, unknown>): boolean {
  const protocol = textOf(port.protocol) ?? 'TCP';
  const same = (other: unknown) => fieldAt(other, 'port') === port.port && (textOf(fieldAt(other, 'protocol')) ?? 'TCP') === protocol;
  const applied = listOf(fieldAt(lastApplied(service), 'spec', 'ports')).find(same);
  if (typeof fieldAt(applied, 'nodePort') === 'number') return true;
  return listOf(service.metadata.managedFields).some((entry) =>
    Object.entries(recordOf(fieldAt(entry, 'fieldsV1', 'f:spec', 'f:ports'))).some(
      ([key, fields]) => key.startsWith('k:') && same(keyOf(key)) && fieldAt(fields, 'f:nodePort') !== undefined,
    ),
  );
}

function keyOf(key: string): unknown {
  try {
    return JSON.parse(key.slice(2));
  } catch {
    return undefined;
  }
}

/** Gives back what the source's API server has allocated. */
export function resetService(draft: Draft, nodePorts: Mapping['nodePorts']): void {
  if (draft.manifest.kind !== 'Service' || draft.manifest.apiVersion !== 'v1') return;
  const source = draft.captured.object;
  if (fieldAt(source, 'spec', 'type') === 'ExternalName') return;
  if (fieldAt(source, 'spec', 'clusterIP') !== 'None') removePaths(draft, 'ClusterIP', ['spec.clusterIP', 'spec.clusterIPs']);
  if (!userSetSpec(source, 'ipFamilies')) removePaths(draft, 'IPFamilies', ['spec.ipFamilies']);
  if (!userSetSpec(source, 'ipFamilyPolicy')) removePaths(draft, 'IPFamilies', ['spec.ipFamilyPolicy']);
  if (nodePorts === 'Preserve') return;
  if (!userSetSpec(source, 'healthCheckNodePort')) removePaths(draft, 'AutomaticNodePort', ['spec.healthCheckNodePort']);
  for (const hit of find(draft.manifest, 'spec.ports[*]')) {
    const port = recordOf(hit.value);
    if (port.nodePort === undefined || userSetNodePort(source, port)) continue;
    for (const nodePort of find(port, 'nodePort', hit.pointer)) removeField(draft, 'AutomaticNodePort', nodePort);
  }
}
