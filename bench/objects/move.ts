/**
 * Ours as a process of its own, so that its memory is its own: capture, plan and apply of some namespaces to others on the same API server.
 * Takes a Move as JSON in its first argument, prints a MoveFigures as its only line. Bundled like the product before it is measured.
 */
import { applySteps, compareApplied } from '../../src/apply/index.ts';
import { capture, readSurface } from '../../src/capture/index.ts';
import { loadKubeconfig, openKube } from '../../src/kube/index.ts';
import { makePlan } from '../../src/plan/index.ts';
import { requestsAnswered } from './requests.ts';

export interface Move {
  kubeconfig: string;
  /** Source to target. */
  namespaces: Record<string, string>;
  migration: string;
}

export interface MoveFigures {
  captured: number;
  captureSeconds: number;
  planSeconds: number;
  /** Steps of the plan: objects written. */
  applied: number;
  applySeconds: number;
  /** Answered by the API server meanwhile. */
  applyRequests: number;
}

async function run({ kubeconfig, namespaces, migration }: Move): Promise<MoveFigures> {
  const config = loadKubeconfig({ path: kubeconfig });
  const client = openKube(config.access(config.contexts()[0]?.name ?? ''));
  const { signal } = new AbortController();
  try {
    const started = performance.now();
    const captured = await capture(client, { namespaces: Object.keys(namespaces), signal });
    const capturedAt = performance.now();
    const source = await readSurface(client, { namespaces: Object.keys(namespaces), captured, signal });
    const target = await readSurface(client, { namespaces: Object.values(namespaces), captured, signal });
    const mapping = { namespaces, storageClasses: {}, nodePorts: 'Reset', dnsNames: true, existing: 'Fail' } as const;
    const planning = performance.now();
    const plan = makePlan({ captured, source, target, mapping, options: { migration } });
    const planSeconds = (performance.now() - planning) / 1000;
    const before = await requestsAnswered(kubeconfig);
    const applying = performance.now();
    for (const phase of ['Prepare', 'Activate'] as const) {
      const outcomes = await applySteps(client, plan.steps, { phase, previous: [], signal, fieldManager: 'tranship' });
      const failed = outcomes.find(({ result }) => result === 'Failed');
      if (failed !== undefined) throw new Error(`${failed.step}: ${failed.reason ?? ''} ${failed.message ?? ''}`);
    }
    const applySeconds = (performance.now() - applying) / 1000;
    // The count itself is one of them.
    const applyRequests = (await requestsAnswered(kubeconfig)) - before - 1;
    const differences = await compareApplied(client, plan.steps, { signal });
    if (differences.length > 0) throw new Error(`${differences.length} fields are not as planned`);
    return {
      captured: captured.objects.length,
      captureSeconds: (capturedAt - started) / 1000,
      planSeconds,
      applied: plan.steps.length,
      applySeconds,
      applyRequests,
    };
  } finally {
    await client.close();
  }
}

process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as Move))}\n`);
