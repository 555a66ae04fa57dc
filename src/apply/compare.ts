/** Reads back what was written: every object accounted for, every field as planned. */
import type { KubeObject } from '../api/object.ts';
import type { PlanStep } from '../api/plan.ts';
import type { KubeClient } from '../kube/index.ts';
import { differences } from './difference.ts';
import { Pace } from './pace.ts';

export interface Difference {
  step: string;
  /** JSON pointer; '' for an object that is not there at all. */
  path: string;
  expected?: unknown;
  actual?: unknown;
}

/**
 * Compares the objects of the steps with the cluster. Steps that leave the target's own object (`Exists`) are only looked for. Values of
 * Secrets are compared but never told.
 */
export async function compareApplied(
  client: KubeClient,
  steps: readonly PlanStep[],
  options: { signal: AbortSignal },
): Promise<Difference[]> {
  const pace = new Pace();
  const scaled = scaledByOthers(steps);
  const found = await Promise.all(
    steps.map(async (step) => {
      const { name, namespace } = step.target;
      const actual = await pace.run(async () => await client.get(step.resource, name, namespace, { signal: options.signal }));
      return compareStep(step, actual, scaled);
    }),
  );
  return found.flat();
}

function compareStep(step: PlanStep, actual: KubeObject | undefined, scaled: ReadonlySet<string>): Difference[] {
  if (actual === undefined) return [{ step: step.id, path: '' }];
  if (step.action === 'Exists' || step.action === 'Merge') return [];
  const secret = step.target.kind === 'Secret' && step.target.group === '';
  return differences(step.manifest, actual)
    .filter(
      ({ path }) => !(path === '/spec/replicas' && scaled.has(`${step.target.namespace ?? ''}/${step.target.kind}/${step.target.name}`)),
    )
    .map(({ path, expected, actual: value }) => (secret ? { step: step.id, path } : { step: step.id, path, expected, actual: value }));
}

/** Workloads whose replica count an autoscaler of the plan decides. */
function scaledByOthers(steps: readonly PlanStep[]): ReadonlySet<string> {
  return new Set(
    steps
      .filter((step) => step.target.kind === 'HorizontalPodAutoscaler')
      .map((step) => {
        const spec = step.manifest.spec as { scaleTargetRef?: { kind?: string; name?: string } } | undefined; // JSON border
        return `${step.target.namespace ?? ''}/${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`;
      }),
  );
}
