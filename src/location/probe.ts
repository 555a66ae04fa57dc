import { randomBytes } from 'node:crypto';
import { codeOf, TranshipError } from '../errors.ts';
import type { Location } from './location.ts';

/** What our credentials may do here. An importer needs list and read, everything else needs write. */
export interface LocationProbe {
  list: boolean;
  read: boolean;
  write: boolean;
  /** Conditional create works: a second writer is refused by the store itself. */
  conditional: boolean;
  /** Why `write` is false, when it is. */
  writeError?: TranshipError;
}

/**
 * Tries the verbs on one small object below `.probe/` and removes it again. A bucket that is missing, a wrong credential or a store that does not
 * answer is thrown; missing write rights are reported.
 */
export async function probeLocation(location: Location, signal?: AbortSignal): Promise<LocationProbe> {
  const name = `.probe/${randomBytes(12).toString('hex')}`;
  const body = Buffer.from('tranship probe\n');
  const probe: LocationProbe = { list: false, read: false, write: false, conditional: false };
  let seen: string | undefined;
  try {
    for await (const found of location.list('', signal)) {
      seen = found.name;
      break;
    }
    probe.list = true;
  } catch (error) {
    // A directory location that does not exist yet is made by the first write.
    if (codeOf(error) !== 'NotFound' || !location.url.startsWith('dir:')) throw error;
    probe.list = true;
  }
  try {
    await location.put(name, body, withSignal({ ifAbsent: true }, signal));
    probe.write = true;
  } catch (error) {
    if (!(error instanceof TranshipError) || error.code !== 'Forbidden') throw error;
    probe.writeError = error;
    if (seen !== undefined)
      probe.read = await location.getRange(seen, 0, 0, signal).then(
        () => true,
        () => false,
      );
    return probe;
  }
  try {
    probe.read = Buffer.from(await location.get(name, body.length, signal)).equals(body);
    probe.conditional = (await location.put(name, body, withSignal({ ifAbsent: true }, signal))) === 'exists';
  } finally {
    await location.delete(name).catch(() => {});
  }
  return probe;
}

function withSignal<T extends object>(options: T, signal: AbortSignal | undefined): T & { signal?: AbortSignal } {
  return signal === undefined ? options : { ...options, signal };
}
