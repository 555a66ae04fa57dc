import { randomBytes } from 'node:crypto';
import { TranshipError } from '../errors.ts';
import type { Location } from '../location/index.ts';
import { keyCheck, parseKey } from './keys.ts';
import { lineageName } from './names.ts';
import { readTwice } from './read-twice.ts';

/** Chunk size of new archives, bytes; a power of two, recorded per round. */
export const defaultChunkSize = 1 << 20;

/**
 * Starts a new lineage with a random data key. The key is returned once and stored nowhere: who has it can read everything in the lineage.
 * @returns `key` is 32 bytes in base64. Secret.
 */
export async function createLineage(location: Location, signal?: AbortSignal): Promise<{ lineage: string; key: string }> {
  const lineage = randomBytes(12).toString('hex');
  const key = randomBytes(32);
  const document = { format: 'tranship-archive', version: 1, lineage, keyCheck: keyCheck(key) };
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  const made = await location.put(lineageName(lineage), body, { ifAbsent: true, ...(signal === undefined ? {} : { signal }) });
  if (made === 'exists') throw new TranshipError('Conflict', `Lineage ${lineage} exists already in ${location.url}.`);
  return { lineage, key: key.toString('base64') };
}

/**
 * Checks that the lineage is there, has a format that we know, and that the key is its key.
 * @throws TranshipError NotFound, Unsupported (a newer format), Unauthorized (wrong key), Integrity
 */
export async function checkKey(location: Location, lineage: string, key: string, signal?: AbortSignal): Promise<Buffer> {
  // Plain JSON: a changed bit may look like another version or another key.
  return await readTwice(async () => await checkOnce(location, lineage, key, signal), ['Integrity', 'Unsupported', 'Unauthorized']);
}

async function checkOnce(location: Location, lineage: string, key: string, signal?: AbortSignal): Promise<Buffer> {
  const parsed = parseKey(key);
  let text: string;
  try {
    text = Buffer.from(await location.get(lineageName(lineage), 4096, signal)).toString('utf8');
  } catch (error) {
    if (!(error instanceof TranshipError) || error.code !== 'NotFound') throw error;
    throw new TranshipError('NotFound', `There is no archive with lineage ${lineage} in ${location.url}.`, {
      hint: 'Check bucket, prefix and lineage.',
      cause: error,
    });
  }
  const document = parseLineage(text, location.url);
  if (document.version !== 1) {
    throw new TranshipError(
      'Unsupported',
      `The archive in ${location.url} has format version ${document.version}; this program reads version 1.`,
      { hint: 'Use a newer tranship.' },
    );
  }
  if (document.lineage !== lineage)
    throw new TranshipError('Integrity', `The archive in ${location.url} is another lineage than its name says.`);
  if (document.keyCheck !== keyCheck(parsed)) throw wrongKey(location.url, lineage);
  return parsed;
}

/** The error for a key of another lineage: told apart from damaged data, because the cure is another one. */
export function wrongKey(url: string, lineage: string): TranshipError {
  return new TranshipError('Unauthorized', `The key does not belong to lineage ${lineage} in ${url}.`, {
    hint: 'Use the key (import token) that this archive was made with.',
  });
}

function parseLineage(text: string, url: string): { version: number; lineage: string; keyCheck: string } {
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const { format, version, lineage, keyCheck: check } = fields;
    if (format === 'tranship-archive' && typeof version === 'number' && typeof lineage === 'string' && typeof check === 'string') {
      return { version, lineage, keyCheck: check };
    }
  } catch {
    // falls through: not JSON is as foreign as another format
  }
  throw new TranshipError('Integrity', `The lineage document in ${url} is damaged or not one of ours.`);
}
