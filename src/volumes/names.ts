/** Names of everything the volumes room creates. Short enough for every kind, the same at every run, unique per volume and migration. */
import { createHash } from 'node:crypto';

/** Our own namespace for one migration, on both clusters. */
export function stagingNamespace(migration: string): string {
  // A mark is the name and a part of the uid (`shop.1a2b3c4d`); the namespace is called by the name alone.
  return `tranship-${migration.split('.')[0] ?? migration}`;
}

/**
 * `shop/data-postgres-0` → `data-postgres-0-1a2b3c4d`: readable, and safe when two namespaces have the same claim.
 * @param migration goes into the hash, so that two migrations of one namespace do not meet
 */
export function volumeName(volume: string, migration = ''): string {
  const claim = volume.slice(volume.indexOf('/') + 1);
  const hashed = migration === '' ? volume : `${migration}/${volume}`;
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, 8);
  return `${claim.slice(0, 30).replace(/[^a-z0-9]+$/, '')}-${hash}`;
}
