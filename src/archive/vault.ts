import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../api/object.ts';
import { codeOf } from '../errors.ts';
import type { Location } from '../location/index.ts';
import { readTwice } from './read-twice.ts';
import { openDocument, sealDocument, sealedLimit } from './sealed.ts';

/** A lineage with its key: what small documents are read and written with. */
export interface Vault {
  location: Location;
  lineage: string;
  key: Buffer;
}

/** Marks, log entries and tombstones are below this, bytes. */
const largestMark = 1 << 20;

/** A sealed JSON document, or undefined when there is none of that name. */
export async function readSealed(vault: Vault, name: string, limit: number, signal?: AbortSignal): Promise<Json | undefined> {
  try {
    const plain = await readTwice(async () =>
      openDocument(vault.key, name, await vault.location.get(name, sealedLimit(limit), signal), limit),
    );
    return JSON.parse(plain.toString('utf8')) as Json;
  } catch (error) {
    if (codeOf(error) === 'NotFound') return undefined;
    throw error;
  }
}

export async function readMark(vault: Vault, name: string, signal?: AbortSignal): Promise<Json | undefined> {
  return await readSealed(vault, name, largestMark, signal);
}

/**
 * Writes a small document when its name is free, and says whether the name now holds what was wanted: an equal one of another writer, or of our own
 * try whose answer was lost, is as good as ours. The store's conditional create is what decides between two writers.
 */
export async function writeOnce(vault: Vault, name: string, content: Json, signal?: AbortSignal, limit = largestMark): Promise<boolean> {
  const sealed = sealDocument(vault.key, name, Buffer.from(JSON.stringify(content)));
  for (;;) {
    if ((await vault.location.put(name, sealed, { ifAbsent: true, ...(signal === undefined ? {} : { signal }) })) === 'created')
      return true;
    const there = await readSealed(vault, name, limit, signal);
    if (there !== undefined) return isDeepStrictEqual(there, content);
  }
}

/**
 * What takes the name of a round or restore point that was never committed: its writer, should it still live, can commit it no more, and what it stored
 * may be deleted.
 */
export const givenUp = { format: 'tranship-given-up', version: 1 };

export function isGivenUp(document: Json | undefined): boolean {
  return typeof document === 'object' && document !== null && !Array.isArray(document) && document['format'] === givenUp.format;
}
