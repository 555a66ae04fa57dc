/** The captured objects of a stored migration, read back from its archive: for those who want to look at them, or try something on them. */
import type { Captured } from '../api/captured.ts';
import { hubNamespace } from '../api/meta.ts';
import type { Migration } from '../api/migration.ts';
import { openArchive } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import type { Hub } from '../hub/index.ts';
import type { EngineOptions } from './engine.ts';

/** @throws NotFound when nothing was captured yet; what opening the location throws */
export async function readCapture(
  hub: Hub,
  migration: Migration,
  options: Pick<EngineOptions, 'openLocation' | 'signal'>,
): Promise<Captured> {
  const { name } = migration.metadata;
  const section = migration.status?.sections['captured'];
  const secret = await hub.get('Secret', hubNamespace, `${name}-archive-key`);
  const data = secret?.['stringData'] as { lineage: string; key: string } | undefined; // written by open.ts
  if (section === undefined || data === undefined) {
    throw new TranshipError('NotFound', `The migration "${name}" has captured nothing yet.`);
  }
  const { location } = await options.openLocation(migration.spec.location, options.signal);
  try {
    const archive = await openArchive({ location, lineage: data.lineage, key: data.key });
    return (await archive.readSection(name, section)) as unknown as Captured; // JSON border
  } finally {
    await location.close();
  }
}
