/** Reading and writing the stored migrations: what the verbs share. Only spec is written here; status belongs to the engine. */
import { isDeepStrictEqual } from 'node:util';
import { clusterSchema } from '../api/cluster.ts';
import { hubNamespace } from '../api/meta.ts';
import { migrationSchema, type Migration, type MigrationSpec } from '../api/migration.ts';
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import type { Hub } from '../hub/index.ts';
import type { MigrationObjects } from './objects.ts';

/** @throws NotFound naming the ones there are */
export async function getMigration(hub: Hub, name: string): Promise<Migration> {
  const object = await hub.get('Migration', hubNamespace, name);
  if (object !== undefined) return migrationSchema.parse(object);
  const known = (await hub.list('Migration', hubNamespace)).map((other) => other.metadata.name);
  throw new TranshipError('NotFound', `There is no migration named "${name}".`, {
    hint: known.length === 0 ? 'None was begun yet with this hub file.' : `Known: ${known.join(', ')}.`,
  });
}

export async function findMigration(hub: Hub, name: string): Promise<Migration | undefined> {
  const object = await hub.get('Migration', hubNamespace, name);
  return object === undefined ? undefined : migrationSchema.parse(object);
}

export async function listMigrations(hub: Hub): Promise<Migration[]> {
  const objects = await hub.list('Migration', hubNamespace);
  return objects.map((object) => migrationSchema.parse(object));
}

/** Names of the stored Clusters → their kubeconfig contexts. */
export async function contextNames(hub: Hub): Promise<Map<string, string>> {
  const clusters = await hub.list('Cluster', hubNamespace);
  return new Map(clusters.map((object) => [object.metadata.name, clusterSchema.parse(object).spec.context]));
}

/** Changes the spec, again from the newest object when another process was quicker. */
export async function changeSpec(hub: Hub, name: string, change: (spec: MigrationSpec) => void): Promise<void> {
  for (;;) {
    const { spec } = await getMigration(hub, name);
    const object = await hub.get('Migration', hubNamespace, name);
    if (object === undefined) throw new TranshipError('NotFound', `The migration "${name}" was deleted.`);
    change(spec);
    try {
      await hub.update({ ...object, spec });
      return;
    } catch (error) {
      if (!(error instanceof TranshipError) || error.code !== 'Conflict') throw error;
    }
  }
}

/** Writes Clusters, Location and Migration; the Migration must be new. */
export async function store(hub: Hub, objects: MigrationObjects): Promise<void> {
  await storeReach(hub, objects);
  await hub.create(objects.migration);
}

/** Clusters and Location as the flags say now: a kubeconfig may lie elsewhere today, what is moved stays the same. */
export async function storeReach(hub: Hub, objects: MigrationObjects): Promise<void> {
  for (const object of [...objects.clusters, objects.location]) await put(hub, object);
}

async function put(hub: Hub, object: KubeObject): Promise<void> {
  const kind = object.kind === 'Cluster' ? 'Cluster' : 'Location';
  const there = await hub.get(kind, hubNamespace, object.metadata.name);
  if (there === undefined) await hub.create(object);
  else await hub.update({ ...there, metadata: { ...there.metadata, ...annotationsOf(object) }, spec: object['spec'] });
}

function annotationsOf(object: KubeObject): { annotations?: Record<string, string> } {
  return object.metadata.annotations === undefined ? {} : { annotations: object.metadata.annotations };
}

/** The fields in which two specs differ, as paths: `transfer.streams`. What the user asks of a running migration is not compared. */
export function differences(before: MigrationSpec, after: MigrationSpec): string[] {
  const ignored = new Set(['cancel', 'rollback']);
  return walk('', { ...before }, { ...after }).filter((path) => !ignored.has(path));
}

/** True when the stored Location leads elsewhere. */
export async function leadsElsewhere(hub: Hub, location: KubeObject): Promise<boolean> {
  const there = await hub.get('Location', hubNamespace, location.metadata.name);
  return there !== undefined && !isDeepStrictEqual(there['spec'], location['spec']);
}

function walk(path: string, before: unknown, after: unknown): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => walk(path === '' ? key : `${path}.${key}`, before[key], after[key]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface Ending {
  finished: boolean;
  /** Reason of the condition Succeeded. */
  reason: string | undefined;
}

/** Whether the engine has nothing more to do. A failed migration is not finished: it can be resumed. */
export function endingOf(migration: Migration): Ending {
  const summary = migration.status?.conditions.find((condition) => condition.type === 'Succeeded');
  const reason = summary?.reason;
  return { finished: summary?.status === 'True' || reason === 'Canceled' || reason === 'RolledBack', reason };
}

/** True while nothing was written on a cluster: a wrong flag can then be corrected under the same name. */
export function isUntouched(migration: Migration): boolean {
  const steps = migration.status?.steps ?? [];
  return steps.every((step) => step.state === 'Pending' || ['Connect', 'Capture', 'Plan'].includes(step.name));
}
