/** Waits between layers: definitions that must be served, namespaces that must be active. Conditions, bounded, never a blind pause. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fieldAt, listOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { PlanStep } from '../api/plan.ts';
import { TranshipError } from '../errors.ts';
import type { KubeClient } from '../kube/index.ts';

const POLL_MS = 100;

/** A definition whose resources can be created. */
export function isEstablished(definition: KubeObject | undefined): boolean {
  return listOf(fieldAt(definition, 'status', 'conditions')).some(
    (condition) => fieldAt(condition, 'type') === 'Established' && fieldAt(condition, 'status') === 'True',
  );
}

/** Waits until a just written definition or namespace can hold others. @throws TimedOut */
export async function waitUsable(client: KubeClient, steps: readonly PlanStep[], signal: AbortSignal, timeoutMs = 60_000): Promise<void> {
  const definitions = steps.filter(({ target }) => target.kind === 'CustomResourceDefinition' && target.group === 'apiextensions.k8s.io');
  await Promise.all(
    definitions.map(async (step) => {
      await until(client, step, isEstablished, 'established', signal, timeoutMs);
    }),
  );
  if (definitions.length > 0) await client.discover({ refresh: true, signal });
}

async function until(
  client: KubeClient,
  step: PlanStep,
  good: (object: KubeObject | undefined) => boolean,
  state: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    if (good(await client.get(step.resource, step.target.name, step.target.namespace, { signal }))) return;
    if (Date.now() > end) throw new TranshipError('TimedOut', `${step.id} is not ${state} on ${client.name} after ${timeoutMs / 1000} s.`);
    await sleep(POLL_MS, undefined, { signal });
  }
}
