/** The running state of one migration: its object, its clients, and the one way to write its status down. */
import type { Captured } from '../api/captured.ts';
import { jobConditions } from '../api/condition.ts';
import { hubNamespace } from '../api/meta.ts';
import {
  migrationSchema,
  migrationStatus,
  stepNames,
  type Migration,
  type MigrationEvent,
  type MigrationStatus,
  type StepStatus,
  type VolumeStatus,
} from '../api/migration.ts';
import type { KubeObject } from '../api/object.ts';
import type { Outcome } from '../api/outcome.ts';
import type { Plan, PlannedVolume } from '../api/plan.ts';
import type { Archive } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import type { KubeClient } from '../kube/index.ts';
import type { Location, LocationSpec } from '../location/index.ts';
import type { WarmSession } from '../volumes/index.ts';
import type { EngineOptions } from './engine.ts';

export interface Run {
  readonly options: EngineOptions;
  readonly migration: Migration;
  readonly status: MigrationStatus;
  /** Ends the current step: the process is told to stop, the user cancelled, or the lease was lost. */
  signal: AbortSignal;
  source: KubeClient;
  target: KubeClient;
  location: Location;
  locationSpec: LocationSpec;
  archive: Archive;
  /** base64; goes to movers, never to a log. */
  key: string;
  captured: Captured | undefined;
  plan: Plan | undefined;
  outcomes: Map<string, Outcome>;
  /** Movers that are loaded and wait for their job, by pod. */
  warm: Map<string, WarmSession>;
  /** Writes the status now. Call it before every outside effect that must be remembered. */
  save(): Promise<void>;
  /** Writes the status soon: for progress. */
  touch(): void;
  log(level: MigrationEvent['level'], message: string, more?: { volume?: string }): void;
  /** Ends connections and timers. */
  close(): Promise<void>;
}

/** Reads and checks the object. Its status gets the full list of steps. */
export async function loadMigration(options: EngineOptions): Promise<{ migration: Migration; status: MigrationStatus }> {
  const object = await options.hub.get('Migration', hubNamespace, options.name);
  if (object === undefined)
    throw new TranshipError('NotFound', `There is no migration named "${options.name}".`, { hint: 'tranship status lists them.' });
  const migration = parseMigration(object);
  const status: MigrationStatus = {
    ...migrationStatus.parse({}),
    ...migration.status,
  };
  const known = new Map(status.steps.map((step) => [step.name, step]));
  const steps: StepStatus[] = stepNames.map((name) => known.get(name) ?? { name, state: 'Pending', attempts: 0 });
  status.steps = [...steps, ...status.steps.filter((step) => step.name === 'Undo' || step.name === 'Rollback')];
  return { migration, status };
}

/** @throws InvalidInput with one line per field that is wrong */
export function parseMigration(object: unknown): Migration {
  const parsed = migrationSchema.safeParse(object);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new TranshipError('InvalidInput', `The migration is not valid: ${lines.join('; ')}.`);
}

/**
 * Persists `status` into the hub. The engine owns the status, the user owns the spec: a conflict means that the user changed the spec
 * (cancel), so the newest object is taken and our status is put on it.
 */
export async function writeStatus(options: EngineOptions, status: MigrationStatus): Promise<Migration> {
  for (;;) {
    const object = await options.hub.get('Migration', hubNamespace, options.name);
    if (object === undefined) throw new TranshipError('NotFound', `The migration "${options.name}" was deleted while it ran.`);
    try {
      const written: KubeObject = await options.hub.updateStatus({ ...object, status: structuredClone(status) });
      return parseMigration(written);
    } catch (error) {
      if (!(error instanceof TranshipError) || error.code !== 'Conflict') throw error;
    }
  }
}

export function stepOf(status: MigrationStatus, name: StepStatus['name']): StepStatus {
  let step = status.steps.find((candidate) => candidate.name === name);
  if (step === undefined) {
    step = { name, state: 'Pending', attempts: 0 };
    status.steps.push(step);
  }
  return step;
}

/** The volume's name in the archive and in the status. */
export function nameOf({ source }: Pick<PlannedVolume, 'source'>): string {
  return `${source.namespace}/${source.claim}`;
}

export function volumeOf(status: MigrationStatus, name: string): VolumeStatus {
  const volume = status.volumes.find((candidate) => candidate.name === name);
  if (volume === undefined) throw new TranshipError('Internal', `Volume ${name} is not in the status.`);
  return volume;
}

export function now(): string {
  return new Date().toISOString();
}

/** Sets the three job conditions and the phase column. */
export function setState(
  run: { status: MigrationStatus; migration: Migration },
  state: 'running' | 'succeeded' | 'failed',
  reason: string,
  message: string,
): void {
  const generation = run.migration.metadata.generation ?? 1;
  run.status.observedGeneration = generation;
  run.status.phase = reason;
  run.status.conditions = jobConditions(run.status.conditions, { state, reason, message, generation }, now());
}
