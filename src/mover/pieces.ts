import { closeSync, constants, openSync, read as readCallback } from 'node:fs';
import { promisify } from 'node:util';
import { alignedBuffer, directBlock, directFlag, giveBack } from '../location/index.ts';
import { readCached } from './sys.ts';

const read = promisify(readCallback);

/** A range of a file to read, and what was read of it: fewer bytes only at the end of the file. */
export interface Piece {
  start: number;
  length: number;
}

/**
 * Reads ranges of a large file or device in order, the next one on its way while the caller works on this one, and past the page cache: a copy reads
 * everything once, and would push out what the application beside it needs. The bytes are the caller's until it asks for the next piece.
 * @param fd opened for reading; a second descriptor for direct I/O is made from it and closed at the end
 * @param source `cache-first`: what the application has in the cache is taken from there; `disk`: only what is on the disk counts (verification)
 */
export async function* readPieces<P extends Piece>(
  fd: number,
  pieces: Iterable<P>,
  source: 'cache-first' | 'disk',
): AsyncGenerator<P & { bytes: Buffer }> {
  let direct: { fd: number | undefined } | undefined;
  const past = (): number | undefined => (direct ??= { fd: openDirect(fd, constants.O_RDONLY) }).fd;
  const fetch = async (piece: P): Promise<Buffer> => await readPiece(fd, past, piece, source);
  let ahead: { piece: P; bytes: Promise<Buffer> } | undefined;
  try {
    for (const piece of pieces) {
      const bytes = fetch(piece);
      bytes.catch(() => {}); // thrown when it is awaited
      const ready = ahead;
      ahead = { piece, bytes };
      if (ready !== undefined) yield* handOut(ready.piece, await ready.bytes);
    }
    const last = ahead;
    ahead = undefined;
    if (last !== undefined) yield* handOut(last.piece, await last.bytes);
  } finally {
    // The caller may stop early: nothing may read into memory or from a descriptor that is given back.
    await ahead?.bytes.then(giveBack, () => {});
    if (direct?.fd !== undefined) closeSync(direct.fd);
  }
}

function* handOut<P extends Piece>(piece: P, bytes: Buffer): Generator<P & { bytes: Buffer }> {
  try {
    yield { ...piece, bytes };
  } finally {
    giveBack(bytes);
  }
}

/** A second descriptor of an open file, for direct I/O; undefined where its file system has none. */
export function openDirect(fd: number, flags: number): number | undefined {
  if (directFlag === 0) return undefined;
  try {
    return openSync(`/proc/self/fd/${fd}`, flags | directFlag);
  } catch {
    return undefined; // buffered I/O always works, and says what is wrong if it does not
  }
}

async function readPiece(
  fd: number,
  past: () => number | undefined,
  { start, length }: Piece,
  source: 'cache-first' | 'disk',
): Promise<Buffer> {
  const room = Math.ceil(length / directBlock) * directBlock;
  const buffer = alignedBuffer(room);
  let filled = source === 'cache-first' ? readCached(fd, buffer, length, start) : 0;
  try {
    const direct = filled < length ? past() : undefined;
    if (direct !== undefined) {
      filled -= filled % directBlock;
      filled += await readUpTo(direct, buffer, filled, room, start).catch(() => 0);
    }
    // The end of the file, or direct I/O that is refused after all.
    if (filled < length) filled += await readUpTo(fd, buffer, filled, length, start);
  } catch (error) {
    giveBack(buffer);
    throw error;
  }
  return buffer.subarray(0, Math.min(filled, length));
}

async function readUpTo(fd: number, buffer: Buffer, from: number, to: number, start: number): Promise<number> {
  let at = from;
  while (at < to) {
    const { bytesRead } = await read(fd, buffer, at, to - at, start + at);
    at += bytesRead;
    if (bytesRead === 0 || at % directBlock !== 0) break;
  }
  return at - from;
}
