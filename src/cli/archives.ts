/** The archives that the migrations of this hub have made, opened with the keys that the hub keeps. */
import { hubNamespace } from '../api/meta.ts';
import type { Migration } from '../api/migration.ts';
import { openRetention, type Retention } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import type { Hub } from '../hub/index.ts';
import { reachByHub } from './reach.ts';
import { endingOf, getMigration, listMigrations } from './stored.ts';

export interface KnownArchive {
  migration: Migration;
  /** URL of its location. */
  location: string;
  retention: Retention;
  /** What may be taken for abandoned, and what is kept: see RetentionOptions. */
  manners: (safeAgeSeconds: number) => { abandonedAfterMs?: number; keepSections: string[] };
}

export interface ClosedArchive {
  migration: string;
  error: TranshipError;
}

/**
 * Calls `work` with each archive, one after the other. One that cannot be opened or read does not stop the others.
 * @param only name of one migration
 * @throws NotFound when there is no such migration
 */
export async function eachArchive(
  access: { hub: Hub; env: NodeJS.ProcessEnv; only: string | undefined; signal: AbortSignal },
  work: (archive: KnownArchive) => Promise<void>,
): Promise<ClosedArchive[]> {
  const { hub, env, only, signal } = access;
  const closed: ClosedArchive[] = [];
  const migrations = only === undefined ? await listMigrations(hub) : [await getMigration(hub, only)];
  for (const migration of migrations) {
    signal.throwIfAborted();
    const { name } = migration.metadata;
    const secret = await hub.get('Secret', hubNamespace, `${name}-archive-key`);
    const archive = secret?.['stringData'] as { lineage: string; key: string } | undefined;
    if (archive === undefined) continue; // nothing was stored yet
    try {
      const { location } = await reachByHub(hub, env).openLocation(migration.spec.location, signal);
      try {
        const retention = await openRetention({ location, ...archive, signal });
        await work({ migration, location: location.url, retention, manners: (safeAge) => mannersOf(migration, safeAge) });
      } finally {
        await location.close();
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof TranshipError)) throw error;
      closed.push({ migration: name, error });
    }
  }
  return closed;
}

/**
 * Of a migration that has not ended nothing is abandoned: it is resumed, perhaps after weeks. Its plan is kept until it cannot be rolled back any more.
 */
function mannersOf(migration: Migration, safeAgeSeconds: number): { abandonedAfterMs?: number; keepSections: string[] } {
  const { finished, reason } = endingOf(migration);
  const over = reason === 'Canceled' || reason === 'RolledBack';
  return {
    ...(finished ? { abandonedAfterMs: safeAgeSeconds * 1000 } : {}),
    keepSections: over ? [] : [migration.metadata.name],
  };
}
