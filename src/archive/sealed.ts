import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { TranshipError } from '../errors.ts';
import { derive } from './keys.ts';

const magic = Buffer.from('TRD1');
const overhead = 4 + 4 + 12 + 16;

/**
 * A sealed document: `TRD1`, plain length (u32 BE), nonce (12), AES-256-GCM of zstd of the plain bytes, tag (16). The stored name and the length are
 * authenticated, so that a document cannot stand in for another one.
 */
export function sealDocument(key: Buffer, name: string, plain: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(plain.length);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', derive(key, 'documents'), nonce);
  cipher.setAAD(placeOf(name, plain.length));
  const body = Buffer.concat([cipher.update(zstdCompressSync(plain)), cipher.final()]);
  return Buffer.concat([magic, length, nonce, body, cipher.getAuthTag()]);
}

/**
 * Opens what `sealDocument` made.
 * @param maxPlain limit of this kind of document in bytes, checked before anything is allocated
 * @throws TranshipError Integrity
 */
export function openDocument(key: Buffer, name: string, sealed: Uint8Array, maxPlain: number): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < overhead || !bytes.subarray(0, 4).equals(magic)) throw damaged(name);
  const plainLength = bytes.readUInt32BE(4);
  if (plainLength > maxPlain) throw damaged(name);
  try {
    const decipher = createDecipheriv('aes-256-gcm', derive(key, 'documents'), bytes.subarray(8, 20));
    decipher.setAAD(placeOf(name, plainLength));
    decipher.setAuthTag(bytes.subarray(bytes.length - 16));
    const compressed = Buffer.concat([decipher.update(bytes.subarray(20, bytes.length - 16)), decipher.final()]);
    const plain = zstdDecompressSync(compressed, { maxOutputLength: Math.max(1, plainLength) });
    if (plain.length === plainLength) return plain;
  } catch (error) {
    throw damaged(name, error);
  }
  throw damaged(name);
}

/** Largest stored size of a document whose plain size is at most `maxPlain`. */
export function sealedLimit(maxPlain: number): number {
  return maxPlain + Math.ceil(maxPlain / 128) + 1024 + overhead;
}

function placeOf(name: string, plainLength: number): Buffer {
  return Buffer.from(`tranship v1 document\n${name}\n${plainLength}`);
}

function damaged(name: string, cause?: unknown): TranshipError {
  return new TranshipError('Integrity', `The stored object ${name} is damaged.`, {
    hint: 'Its bytes are not the ones that were written.',
    cause,
  });
}
