/** `tranship plan`, and `migrate --dry-run`: everything up to the plan, reading only. Nothing is written on either cluster. */
import type { Captured } from '../api/captured.ts';
import type { Plan } from '../api/plan.ts';
import { capture } from '../capture/index.ts';
import { rulesWith } from '../rules/index.ts';
import type { EngineOptions } from './engine.ts';
import { markOf } from './mark.ts';
import { parseMigration } from './state.ts';
import { connect, demandLocation } from './steps/connect.ts';
import { planOf } from './steps/plan.ts';

export interface PlannedMigration {
  plan: Plan;
  captured: Captured;
}

/**
 * @param migration the object as the user would create it; it is not stored
 * @returns the plan with all its findings; blocking ones do not throw
 */
export async function planMigration(
  migration: unknown,
  options: Pick<EngineOptions, 'openCluster' | 'openLocation' | 'signal'>,
): Promise<PlannedMigration> {
  const parsed = parseMigration(migration);
  const { spec } = parsed;
  const { signal } = options;
  const source = await options.openCluster(spec.source.cluster, signal);
  try {
    const target = await options.openCluster(spec.target.cluster, signal);
    try {
      const { location } = await options.openLocation(spec.location, signal);
      try {
        await demandLocation(location, signal);
        const status = {
          source: { id: await source.clusterId({ signal }), version: (await source.version({ signal })).gitVersion },
          target: { id: await target.clusterId({ signal }), version: (await target.version({ signal })).gitVersion },
        };
        await connect({ source, target, location, signal, status, migration: parsed });
        const { resources } = await target.discover({ signal });
        const captured = await capture(source, {
          namespaces: spec.namespaces,
          rules: rulesWith(spec.kindRules),
          target: resources,
          signal,
        });
        return { plan: await planOf(source, target, captured, spec, markOf(parsed), signal), captured };
      } finally {
        await location.close();
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
