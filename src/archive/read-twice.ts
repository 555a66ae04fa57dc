import { codeOf, type ErrorCode } from '../errors.ts';

/**
 * Reads and opens a stored object. One that does not open is read once more: bytes that were changed on the way heal, bytes that are wrong in the store do not.
 * @param read must ask the store each time
 */
export async function readTwice<T>(read: () => Promise<T>, damaged: readonly ErrorCode[] = ['Integrity']): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!damaged.includes(codeOf(error))) throw error;
    return await read();
  }
}
