import { randomBytes } from 'node:crypto';
import { codeOf, TranshipError } from '../errors.ts';
import type { Location } from './location.ts';

/** What our credentials may do here. An importer needs list and read; who writes needs all but delete. */
export interface LocationProbe {
  list: boolean;
  read: boolean;
  write: boolean;
  /** Objects can be removed. Without it the probe's own small object stays. */
  delete: boolean;
  /** Conditional create works: a second writer is refused by the store itself. */
  conditional: boolean;
  /** Why one of these is false, by name: each names the right that is missing. */
  refused: { list?: TranshipError; read?: TranshipError; write?: TranshipError; delete?: TranshipError };
}

/**
 * Tries the verbs on one small object below `.probe/` and removes it again. A bucket that is missing, a wrong credential or a store that does not
 * answer is thrown; rights that are missing are reported.
 */
export async function probeLocation(location: Location, signal?: AbortSignal): Promise<LocationProbe> {
  const name = `.probe/${randomBytes(12).toString('hex')}`;
  const body = Buffer.from('tranship probe\n');
  const probe: LocationProbe = { list: false, read: false, write: false, delete: false, conditional: false, refused: {} };
  /** True when it was done, false when it was refused. */
  const may = async (right: keyof LocationProbe['refused'], work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof TranshipError) || error.code !== 'Forbidden') throw error;
      probe.refused[right] = error;
      return false;
    }
  };

  let seen: { name: string; size: number } | undefined;
  probe.list = await may('list', async () => {
    try {
      for await (const found of location.list('', signal)) {
        seen = found;
        break;
      }
    } catch (error) {
      // A directory location that does not exist yet is made by the first write.
      if (codeOf(error) !== 'NotFound' || !location.url.startsWith('dir:')) throw error;
    }
  });
  const create = async (): Promise<'created' | 'exists'> =>
    await location.put(name, body, { ifAbsent: true, ...(signal === undefined ? {} : { signal }) });
  probe.write = await may('write', create);
  if (!probe.write) {
    // Reading is tried on what is there. In an empty location nothing can be said.
    const there = seen;
    if (there !== undefined) probe.read = await may('read', async () => await readByte(location, there, signal));
    return probe;
  }
  try {
    probe.read = await may('read', async () => {
      if (!Buffer.from(await location.get(name, body.length, signal)).equals(body))
        throw new TranshipError('Integrity', `${location.url} gives back other bytes than were written.`);
    });
    probe.conditional = (await create()) === 'exists';
  } finally {
    probe.delete = await may('delete', async () => await location.delete(name)).catch(() => false);
  }
  return probe;
}

async function readByte(location: Location, there: { name: string; size: number }, signal: AbortSignal | undefined): Promise<void> {
  if (there.size > 0) await location.getRange(there.name, 0, 1, signal);
  else await location.get(there.name, 0, signal);
}
