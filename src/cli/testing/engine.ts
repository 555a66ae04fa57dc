/** An engine that only writes statuses, so that tests see what the CLI makes of them. */
import { jobConditions } from '../../api/condition.ts';
import { hubNamespace } from '../../api/meta.ts';
import { migrationSchema, migrationStatus, stepNames, type Migration, type MigrationStatus } from '../../api/migration.ts';
import type { Captured } from '../../api/captured.ts';
import type { Plan } from '../../api/plan.ts';
import { TranshipError } from '../../errors.ts';
import type { EngineOptions } from '../../migration/index.ts';
import type { Engine } from '../surroundings.ts';

export interface Script {
  plan?: Partial<Plan>;
  captured?: Partial<Captured>;
  planError?: TranshipError;
  /** Called with each run; its answer becomes the end of the migration. */
  run?: (options: EngineOptions, migration: Migration, report: Report) => Promise<End>;
}

export type End = { state: 'succeeded' | 'failed'; reason: string; message: string; more?: Partial<MigrationStatus> };

/** Writes a status as the engine does, and tells the CLI of it. */
export type Report = (more: Partial<MigrationStatus>) => Promise<void>;

export const success: End = {
  state: 'succeeded',
  reason: 'Succeeded',
  message: 'The application runs on the target.',
  more: { targetState: 'Running', sourceState: 'Stopped', downtimeSeconds: 4.2 },
};

export function scriptedEngine(script: Script): Engine & { runs: string[] } {
  const runs: string[] = [];
  return {
    runs,
    async planMigration() {
      if (script.planError !== undefined) throw script.planError;
      return { plan: { ...emptyPlan, ...script.plan }, captured: { ...emptyCapture, ...script.captured } };
    },
    async readCapture() {
      return { ...emptyCapture, ...script.captured };
    },
    async reconcileMigration(options) {
      runs.push(options.name);
      const load = async () => migrationSchema.parse(await options.hub.get('Migration', hubNamespace, options.name));
      const report: Report = async (more) => {
        const object = await options.hub.get('Migration', hubNamespace, options.name);
        if (object === undefined) throw new Error('the migration is gone');
        const before = migrationSchema.parse(object).status ?? emptyStatus();
        const written = await options.hub.updateStatus({ ...object, status: { ...before, ...more } });
        options.onStatus?.(migrationSchema.parse(written));
      };
      const end = await (script.run ?? (async () => success))(options, await load(), report);
      const { conditions } = (await load()).status ?? emptyStatus();
      await report({ ...end.more, conditions: jobConditions(conditions, { ...end, generation: 1 }, new Date().toISOString()) });
      return await load();
    },
  };
}

export function emptyStatus(): MigrationStatus {
  return migrationStatus.parse({ steps: stepNames.map((name) => ({ name, state: 'Pending' })) });
}

const emptyCapture: Captured = {
  cluster: { id: 'a', name: 'old', version: 'v1' },
  namespaces: ['shop'],
  capturedAt: '2026-01-01T00:00:00Z',
  objects: [],
  leftBehind: [],
  volumes: [],
  findings: [],
};

const emptyPlan: Plan = {
  source: { id: 'a', name: 'old' },
  target: { id: 'b', name: 'new' },
  mapping: { namespaces: {}, storageClasses: {}, nodePorts: 'Reset', dnsNames: true, existing: 'Fail' },
  namespaces: [{ source: 'shop', target: 'store' }],
  steps: [],
  volumes: [],
  omitted: [],
  findings: [],
};
