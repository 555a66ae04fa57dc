import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { alignedBuffer, directBlock, directFlag, giveBack } from './memory.ts';

/** Smaller pieces are not worth a second open. */
export const directFrom = 256 << 10;

/** Past the page cache, which packs would flood: they are written once and read once. Each of these says how far it came; the caller goes on buffered. */
type Handle = Awaited<ReturnType<typeof open>>;

async function openDirect(path: string, flags: number): Promise<Handle | undefined> {
  if (directFlag === 0) return undefined;
  try {
    return await open(path, flags | directFlag);
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}

/** Writes whole blocks from the start of `body` into an existing file. Returns the bytes written: 0 where the file system cannot, or memory is not aligned. */
export async function writeDirect(path: string, body: Uint8Array): Promise<number> {
  const whole = body.length - (body.length % directBlock);
  if (whole < directFrom) return 0;
  const file = await openDirect(path, constants.O_WRONLY);
  if (file === undefined) return 0;
  let at = 0;
  try {
    while (at < whole) at += (await file.write(body, at, whole - at, at)).bytesWritten;
  } catch (error) {
    if (!isRefused(error)) throw error;
  } finally {
    await file.close();
  }
  return at;
}

/** Reads [offset, offset+length), which the file is known to hold. Undefined where the file system cannot. */
export async function readDirect(path: string, offset: number, length: number): Promise<Buffer | undefined> {
  if (length < directFrom) return undefined;
  const file = await openDirect(path, constants.O_RDONLY);
  if (file === undefined) return undefined;
  const start = offset - (offset % directBlock);
  const wanted = offset + length - start;
  const buffer = alignedBuffer(Math.ceil(wanted / directBlock) * directBlock);
  let filled = 0;
  try {
    while (filled < wanted) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, start + filled);
      filled += bytesRead;
      if (filled < wanted && (bytesRead === 0 || filled % directBlock !== 0)) break;
    }
  } catch (error) {
    if (!isRefused(error)) throw error;
  } finally {
    await file.close();
  }
  if (filled >= wanted) return buffer.subarray(offset - start, wanted);
  giveBack(buffer);
  return undefined;
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'ENOTSUP');
}
