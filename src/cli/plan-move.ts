/** Asks the engine for a plan and prints it. Used by `plan`, by `migrate --dry-run`, and by `migrate` before it asks. */
import type { Captured } from '../api/captured.ts';
import { migrationSchema } from '../api/migration.ts';
import type { Plan } from '../api/plan.ts';
import { redactPlan, renderPlan } from '../plan/index.ts';
import { exitCodes } from './exit-codes.ts';
import type { MigrationObjects } from './objects.ts';
import type { GraphFormat, OutputFormat } from './options/output.ts';
import { reachByObjects } from './reach.ts';
import type { Output, Surroundings } from './surroundings.ts';

export interface Planned {
  plan: Plan;
  captured: Captured;
  lines: string[];
  blocked: boolean;
}

/** @throws Canceled on Ctrl-C; what the engine throws for bad input. Nothing is changed, whatever happens. */
export async function planMove(surroundings: Surroundings, objects: MigrationObjects, verbose: boolean): Promise<Planned> {
  const stop = new AbortController();
  const quiet = surroundings.onSignal(() => stop.abort());
  try {
    const { planMigration } = await surroundings.engine();
    const { plan, captured } = await planMigration(objects.migration, {
      ...reachByObjects(objects, surroundings.env),
      signal: stop.signal,
    });
    const lines = renderPlan(plan, { changes: verbose }).trimEnd().split('\n');
    return { plan, captured, lines, blocked: plan.findings.some((finding) => finding.severity === 'block') };
  } finally {
    quiet();
  }
}

/** Prints the plan as a result; returns the exit code. */
export async function makePlan(
  surroundings: Surroundings,
  objects: MigrationObjects,
  options: { output: OutputFormat; verbose?: boolean; graph?: GraphFormat },
): Promise<number> {
  const { plan, captured, lines, blocked } = await planMove(surroundings, objects, options.verbose === true);
  if (options.graph !== undefined) {
    surroundings.stdout.write(await graphText(captured, options.graph, objects));
    return exitCodes.ok;
  }
  // The manifests of a plan hold Secrets; what is printed does not.
  if (options.output === 'json') printJson(surroundings.stdout, redactPlan(plan));
  else for (const line of lines) surroundings.stdout.write(`${line}\n`);
  return blocked ? exitCodes.blocked : exitCodes.ok;
}

/** How the objects of the application belong together. What stands against the move is not asked here. */
async function graphText(captured: Captured, format: GraphFormat, objects: MigrationObjects): Promise<string> {
  const { graphAsDot, graphAsText, graphOf } = await import('../graph/index.ts');
  const { rulesWith } = await import('../rules/index.ts');
  const graph = graphOf(captured, rulesWith(migrationSchema.parse(objects.migration).spec.kindRules));
  if (format === 'dot') return graphAsDot(graph);
  return format === 'json' ? `${JSON.stringify(graph, undefined, 2)}\n` : graphAsText(graph);
}

export function printJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
