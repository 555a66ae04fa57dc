/** A plan that may be shown, logged or mailed: the content of Secrets is replaced by its size. */
import { isRecord } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { Plan } from '../api/plan.ts';
import { LAST_APPLIED } from './service.ts';

function redactValues(values: unknown, encoding: 'base64' | 'utf8'): unknown {
  if (!isRecord(values)) return values;
  const size = (value: unknown) => (typeof value === 'string' ? Buffer.byteLength(value, encoding) : 0);
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, `(redacted, ${size(value)} bytes)`]));
}

/** A Secret without its values; any other object as it is. */
export function redactObject(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const copy = structuredClone(object);
  if (copy.data !== undefined) copy.data = redactValues(copy.data, 'base64');
  if (copy.stringData !== undefined) copy.stringData = redactValues(copy.stringData, 'utf8');
  // `kubectl apply` keeps the whole Secret in an annotation.
  if (copy.metadata.annotations?.[LAST_APPLIED] !== undefined) copy.metadata.annotations[LAST_APPLIED] = '(redacted)';
  return copy;
}

export function redactPlan(plan: Plan): Plan {
  return { ...plan, steps: plan.steps.map((step) => ({ ...step, manifest: redactObject(step.manifest) })) };
}
