import { createHmac } from 'node:crypto';
import { TranshipError } from '../errors.ts';

/** Reads the base64 text of a lineage's data key. */
export function parseKey(text: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length !== 32) throw new TranshipError('InvalidInput', 'The data key of the archive must be 32 bytes in base64.');
  return key;
}

/** One key per purpose: HMAC-SHA-256 of the data key over `tranship v1 <label>`. */
export function derive(key: Buffer, label: string): Buffer {
  return createHmac('sha256', key).update(`tranship v1 ${label}`).digest();
}

/** Lets a reader tell a wrong key from a damaged object; reveals nothing of the key. */
export function keyCheck(key: Buffer): string {
  return derive(key, 'key check').toString('hex').slice(0, 32);
}
