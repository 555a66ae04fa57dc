import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { TranshipError } from '../errors.ts';
import { giveBack } from '../location/index.ts';

/** 0: plain, 1: zstd. */
export type Codec = 0 | 1;

/**
 * Where a chunk is stored: SHA-256 of the plain bytes (base64), pack, offset in the pack, stored bytes (with tag), plain bytes, codec. This is also its form
 * in manifests.
 */
export type ChunkRef = [hash: string, pack: string, offset: number, stored: number, plain: number, codec: Codec];

/** No chunk, list, shard or pack index has more plain bytes. Checked before allocation. */
export const largestPlain = 8 << 20;
export const tagLength = 16;

/** The key of one pack. Its id is random and its bytes are written once, so the offset can be the nonce. */
export function packKey(key: Buffer, lineage: string, pack: string): Buffer {
  return createHmac('sha256', key).update(`tranship v1 pack\n${lineage}\n${pack}`).digest();
}

/** Compresses when it pays: chunks are judged by a sample first, and 1/16 must be saved. */
export function compress(plain: Buffer): { bytes: Buffer; codec: Codec } {
  if (plain.length < 128 || !(plain.length >= 1 << 16 ? sampleCompresses(plain) : looksCompressible(plain)))
    return { bytes: plain, codec: 0 };
  // One output buffer that is large enough: the default is a list of 16 KiB pieces, joined.
  const packed = zstdCompressSync(plain, { ...fast, chunkSize: Math.max(1024, plain.length) });
  if (packed.length <= plain.length - (plain.length >> 4)) return { bytes: packed, codec: 1 };
  giveBack(packed, true);
  return { bytes: plain, codec: 0 };
}

const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/**
 * A guess for small chunks from the frequencies of bytes in the first KiB: a compressor's set-up costs more than the chunk. Bytes that are all about equally
 * frequent are compressed or encrypted already.
 */
function looksCompressible(plain: Buffer): boolean {
  const length = Math.min(plain.length, 1024);
  counts.fill(0);
  for (let at = 0; at < length; at++) counts[plain[at] ?? 0] = (counts[plain[at] ?? 0] ?? 0) + 1;
  // The sum of squares of n equally likely bytes is about n + n²/256; text and binaries have several times that.
  let squares = 0;
  for (let value = 0; value < 256; value++) squares += (counts[value] ?? 0) ** 2;
  return squares > 1.5 * (length + (length * length) / 256);
}

const counts = new Uint16Array(256);

function sampleCompresses(plain: Buffer): boolean {
  const step = plain.length >> 2;
  const sample = Buffer.concat([0, 1, 2, 3].map((part) => plain.subarray(part * step, part * step + 2048)));
  return zstdCompressSync(sample, fast).length < sample.length - (sample.length >> 3);
}

/** Encrypts into `into` at `offset`; returns the stored length. The place (pack, offset) and the lengths are authenticated. */
export function sealChunk(
  key: Buffer,
  place: string,
  bytes: Buffer,
  plainLength: number,
  codec: number,
  into: Buffer,
  offset: number,
): number {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(offset));
  cipher.setAAD(placeOf(place, offset, plainLength, codec));
  const sealed = cipher.update(bytes);
  cipher.final();
  sealed.copy(into, offset);
  cipher.getAuthTag().copy(into, offset + sealed.length);
  const stored = sealed.length + tagLength;
  giveBack(sealed);
  return stored;
}

/**
 * Decrypts and decompresses one chunk. The caller has the sizes from an authenticated manifest or a checked footer.
 * @throws TranshipError Integrity
 */
export function openChunk(key: Buffer, place: string, offset: number, stored: Buffer, plainLength: number, codec: number): Buffer {
  try {
    if (plainLength > largestPlain || stored.length < tagLength || (codec === 0 && stored.length !== plainLength + tagLength))
      throw new Error('sizes');
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(offset));
    decipher.setAAD(placeOf(place, offset, plainLength, codec));
    decipher.setAuthTag(stored.subarray(stored.length - tagLength));
    const bytes = decipher.update(stored.subarray(0, stored.length - tagLength));
    decipher.final();
    if (codec === 0) return bytes;
    const plain = zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, plainLength), chunkSize: plainLength + 1024 });
    giveBack(bytes);
    if (plain.length !== plainLength) throw new Error('length');
    return plain;
  } catch (error) {
    throw new TranshipError('Integrity', `A chunk at byte ${offset} of pack ${place.slice(place.indexOf('\n') + 1)} is damaged.`, {
      hint: 'The store returned other bytes than were written.',
      cause: error,
    });
  }
}

function nonceOf(offset: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(offset, 8);
  return nonce;
}

function placeOf(place: string, offset: number, plainLength: number, codec: number): Buffer {
  return Buffer.from(`tranship v1 chunk\n${place}\n${offset}\n${plainLength}\n${codec}`);
}
