/**
 * What a migration is called on the clusters: its name and a part of its uid. The name alone would not do: two people, or one with a fresh
 * home, may give the same name, and neither may take the other's objects for its own.
 */
import type { Migration } from '../api/migration.ts';

/** At most 49 characters, valid as a label. `shop-to-target.1a2b3c4d` */
export function markOf(migration: Pick<Migration, 'metadata'>): string {
  const uid = (migration.metadata.uid ?? 'unstored').replaceAll('-', '');
  return `${migration.metadata.name}.${uid.slice(0, 8)}`;
}
