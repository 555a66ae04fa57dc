/** Conditions as `metav1.Condition`, and the three that every job kind carries so that kstatus, Helm and `kubectl wait` can read it. */
import { z } from 'zod';

export const conditionSchema = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
  observedGeneration: z.number().optional(),
});

export type Condition = z.infer<typeof conditionSchema>;

/**
 * Sets one condition in a list; the transition time changes only when the status does.
 * @example conditions = setCondition(conditions, { type: 'Succeeded', status: 'True', reason: 'Verified', message: '…' }, now)
 */
export function setCondition(list: readonly Condition[], next: Omit<Condition, 'lastTransitionTime'>, now: string): Condition[] {
  const before = list.find((condition) => condition.type === next.type);
  const time = before !== undefined && before.status === next.status ? before.lastTransitionTime : now;
  return [...list.filter((condition) => condition.type !== next.type), { ...next, lastTransitionTime: time }];
}

/** A bounded job: Succeeded is Unknown while it runs; Reconciling and Stalled are abnormal-true. */
export function jobConditions(
  list: readonly Condition[],
  state: { state: 'running' | 'succeeded' | 'failed'; reason: string; message: string; generation: number },
  now: string,
): Condition[] {
  const base = { reason: state.reason, message: state.message, observedGeneration: state.generation };
  const status = { running: 'Unknown', succeeded: 'True', failed: 'False' } as const;
  let next = setCondition(list, { ...base, type: 'Succeeded', status: status[state.state] }, now);
  next = setCondition(next, { ...base, type: 'Reconciling', status: state.state === 'running' ? 'True' : 'False' }, now);
  return setCondition(next, { ...base, type: 'Stalled', status: state.state === 'failed' ? 'True' : 'False' }, now);
}
