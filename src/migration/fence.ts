/**
 * The fence: the source is stopped, proven by asking the cluster, and started again as it was. Everything that must know whether the
 * application writes on the source asks here; a status that says so is only a memory.
 *
 * Order of the records: what starts a workload again is saved before it is stopped (`status.frozen`), and `status.frozenAt` is dropped before the
 * first one is started, so that a process that dies in between can only stop again, never copy on.
 */
import type { PlannedVolume } from '../api/plan.ts';
import { TranshipError, codeOf } from '../errors.ts';
import { resources } from '../kube/index.ts';
import { retrying } from '../volumes/index.ts';
import { markOf } from './mark.ts';
import { forEachLimited } from '../parallel.ts';
import { theCapture } from './sections.ts';
import { now, stepOf, type Run } from './state.ts';
import { isStopped, podsOf, startWorkload, stoppableIn, stopWorkload, waitPodsGone } from './workloads.ts';

const atOnce = 16;
/** How long starting the source again is tried: an API server that restarts must not leave an application down. */
const startForMs = 15 * 60_000;

/** Stops everything that starts pods in the moved namespaces and waits until no pod of the application is left. */
export async function stopSource(run: Run): Promise<void> {
  const { status, migration, source, signal } = run;
  if (status.frozenAt === undefined) {
    const found = [];
    for (const namespace of migration.spec.namespaces) found.push(...(await stoppableIn(source, namespace, signal)));
    // A record of an earlier stop that was never taken back stays: it knows what was there before anything was stopped.
    const known = new Set(status.frozen.map((one) => `${one.kind} ${one.namespace}/${one.name}`));
    status.frozen = [...status.frozen, ...found.filter((one) => !known.has(`${one.kind} ${one.namespace}/${one.name}`))];
    status.frozenAt = now();
    await run.save();
  }
  status.sourceState = 'Stopped';
  // CronJobs make new work: they first, then the rest.
  const makers = status.frozen.filter(({ kind }) => kind === 'CronJob');
  const others = status.frozen.filter(({ kind }) => kind !== 'CronJob');
  for (const group of [makers, others])
    await forEachLimited(group, atOnce, (workload) => stopWorkload(source, workload, markOf(migration), signal));
  const captured = await theCapture(run);
  await waitPodsGone(source, migration.spec.namespaces, { timeoutMs: migration.spec.timeouts.stopSeconds * 1000, signal, captured });
  status.stoppedAt ??= now();
  await run.save();
}

/**
 * Asks the cluster whether the source is still as we stopped it: every workload at its stopped value with our mark, no pod of the application.
 * @returns what is running again, empty when the fence holds
 */
export async function fenceBreaks(run: Run): Promise<string[]> {
  const { status, migration, source, signal } = run;
  const breaks: string[] = [];
  for (const workload of status.frozen) {
    if (!(await isStopped(source, workload, markOf(migration), signal)))
      breaks.push(`${workload.kind} ${workload.namespace}/${workload.name} was started again`);
  }
  const captured = await theCapture(run);
  for (const namespace of migration.spec.namespaces) {
    for (const pod of await podsOf(source, namespace, { signal, captured })) breaks.push(`pod ${namespace}/${pod} runs`);
  }
  return breaks;
}

/**
 * Claims of the source that are not in the plan, or no longer bound to the volume that was planned: the plan is older than what was stopped.
 */
export async function claimsBesidePlan(run: Run, volumes: readonly PlannedVolume[]): Promise<string[]> {
  const planned = new Map(volumes.map(({ source }) => [`${source.namespace}/${source.claim}`, source.persistentVolume]));
  const besides: string[] = [];
  for (const namespace of run.migration.spec.namespaces) {
    for await (const claim of run.source.list(resources.persistentVolumeClaims, { namespace, signal: run.signal })) {
      const name = `${namespace}/${claim.metadata.name}`;
      const { volumeName } = (claim['spec'] ?? {}) as { volumeName?: string };
      if (volumeName === undefined || claim.metadata.labels?.['tranship.io/exclude'] === 'true') continue;
      if (planned.get(name) !== volumeName) besides.push(name);
      planned.delete(name);
    }
  }
  return [...besides, ...planned.keys()];
}

/** From here on nothing that was copied last counts as the last: the steps from the stop on are done anew. */
export function reopen(run: Run): void {
  delete run.status.frozenAt;
  delete run.status.stoppedAt;
  for (const name of ['Freeze', 'FinalSync', 'Verify', 'Rebind', 'Activate'] as const) {
    const step = stepOf(run.status, name);
    if (step.state !== 'Failed') step.state = 'Pending';
  }
}

/**
 * Starts the application on the source as it was before. `forGood`: the migration is over, and its record stays as it is. Tries for a quarter of an hour: this is what ends an outage.
 * @throws Unreachable when the application stays stopped; the sentence says so
 */
export async function startSource(run: Run, options: { forGood: boolean } = { forGood: false }): Promise<void> {
  const { status, source, signal } = run;
  if (!options.forGood) reopen(run);
  // The hub may be what failed. The source comes first; a fence that is found open is checked before anything is copied on.
  await run.save().catch(() => undefined);
  if (status.frozen.length > 0) {
    try {
      await forEachLimited(status.frozen, atOnce, (workload) =>
        retrying(() => startWorkload(source, workload, signal), {
          timeoutMs: startForMs,
          signal,
          onRetry: (error) =>
            run.log('warn', `starting ${workload.kind} ${workload.namespace}/${workload.name} again is retried: ${String(error)}`),
        }),
      );
    } catch (error) {
      signal.throwIfAborted();
      throw new TranshipError(codeOf(error), `THE APPLICATION IS STOPPED: it could not be started on ${source.name} again.`, {
        hint: `Call "tranship cancel ${run.migration.metadata.name}" when the cluster answers, or scale up by hand: the annotation tranship.io/replicas on each workload says what it had.`,
        cause: error,
      });
    }
    run.log('info', `the application runs on ${source.name} again`);
  }
  status.frozen = [];
  status.sourceState = 'Running';
  await run.save();
}
