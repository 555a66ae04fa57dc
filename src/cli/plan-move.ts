/** Asks the engine for a plan and prints it. Used by `plan`, by `migrate --dry-run`, and by `migrate` before it asks. */
import type { Plan } from '../api/plan.ts';
import { redactPlan, renderPlan } from '../plan/index.ts';
import { exitCodes } from './exit-codes.ts';
import type { MigrationObjects } from './objects.ts';
import type { OutputFormat } from './options/output.ts';
import { reachByObjects } from './reach.ts';
import type { Output, Surroundings } from './surroundings.ts';

export interface Planned {
  plan: Plan;
  lines: string[];
  blocked: boolean;
}

/** @throws Canceled on Ctrl-C; what the engine throws for bad input. Nothing is changed, whatever happens. */
export async function planMove(surroundings: Surroundings, objects: MigrationObjects, verbose: boolean): Promise<Planned> {
  const stop = new AbortController();
  const quiet = surroundings.onSignal(() => stop.abort());
  try {
    const { planMigration } = await surroundings.engine();
    const { plan } = await planMigration(objects.migration, {
      ...reachByObjects(objects, surroundings.env),
      signal: stop.signal,
    });
    const lines = renderPlan(plan, { changes: verbose }).trimEnd().split('\n');
    return { plan, lines, blocked: plan.findings.some((finding) => finding.severity === 'block') };
  } finally {
    quiet();
  }
}

/** Prints the plan as a result; returns the exit code. */
export async function makePlan(
  surroundings: Surroundings,
  objects: MigrationObjects,
  options: { output: OutputFormat; verbose?: boolean },
): Promise<number> {
  const { plan, lines, blocked } = await planMove(surroundings, objects, options.verbose === true);
  // The manifests of a plan hold Secrets; what is printed does not.
  if (options.output === 'json') printJson(surroundings.stdout, redactPlan(plan));
  else for (const line of lines) surroundings.stdout.write(`${line}\n`);
  return blocked ? exitCodes.blocked : exitCodes.ok;
}

export function printJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
