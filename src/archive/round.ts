import { TranshipError } from '../errors.ts';
import type { ChunkRef } from './chunk.ts';
import { checkRef } from './ref.ts';
import { givenUp } from './vault.ts';

/** The root of one round: everything else of it is reached from here. Written last. */
export interface RoundDocument {
  format: 'tranship-round';
  version: 1;
  volume: string;
  round: number;
  mode: 'Filesystem' | 'Block';
  /** Bytes; a power of two between 256 KiB and 4 MiB. */
  chunkSize: number;
  /** Shards of the manifest in order: each is zero or more lines of JSON, one entry per line. */
  shards: ChunkRef[];
  files: number;
  /** Logical bytes of content. */
  bytes: number;
  /** Bytes of chunks that this round stored anew. */
  bytesChanged: number;
  /**
   * Files whose ctime (seconds since 1970) is at or after this may have changed again within the same tick of the clock: the next round hashes them. Absent:
   * the file system is not one whose inode numbers and ctimes we trust, everything is hashed.
   */
  trustBefore?: number;
  notes: { path: string; note: string }[];
}

/**
 * Checks a round document that came from a store.
 * @throws TranshipError Integrity, Unsupported (a newer format), Conflict (retention gave the round up)
 */
export function checkRound(plain: Buffer, volume: string, round: number): RoundDocument {
  let value: unknown;
  try {
    value = JSON.parse(plain.toString('utf8'));
  } catch (error) {
    throw new TranshipError('Integrity', `The manifest of round ${round} of ${volume} is not JSON.`, { cause: error });
  }
  return checkRoundFields(value, volume, round);
}

/** As `checkRound`, of what was parsed already. */
export function checkRoundFields(value: unknown, volume: string, round: number): RoundDocument {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (fields['format'] === givenUp.format) {
    throw new TranshipError(
      'Conflict',
      `Round ${round} of ${volume} was given up: nothing was heard of its copy for long, and what it had stored was deleted.`,
      {
        hint: 'Copy again: the next copy takes another number.',
      },
    );
  }
  if (fields['format'] === 'tranship-round' && fields['version'] !== 1) {
    throw new TranshipError('Unsupported', `Round ${round} of ${volume} has a newer format.`, { hint: 'Use a newer tranship.' });
  }
  const size = fields['chunkSize'];
  const right =
    fields['format'] === 'tranship-round' &&
    fields['volume'] === volume &&
    fields['round'] === round &&
    (fields['mode'] === 'Filesystem' || fields['mode'] === 'Block') &&
    typeof size === 'number' &&
    size >= 1 << 18 &&
    size <= 1 << 22 &&
    Number.isInteger(Math.log2(size)) &&
    Array.isArray(fields['shards']) &&
    ['files', 'bytes', 'bytesChanged'].every((field) => Number.isSafeInteger(fields[field]) && (fields[field] as number) >= 0) &&
    (fields['trustBefore'] === undefined || Number.isSafeInteger(fields['trustBefore'])) &&
    Array.isArray(fields['notes']) &&
    fields['notes'].every(isNote);
  if (!right) throw new TranshipError('Integrity', `The manifest of round ${round} of ${volume} is not valid.`);
  for (const ref of fields['shards'] as unknown[]) checkRef(ref);
  return value as RoundDocument;
}

function isNote(value: unknown): boolean {
  const { path, note } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return typeof path === 'string' && typeof note === 'string';
}
