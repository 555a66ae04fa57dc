import { TranshipError } from '../errors.ts';
import { type ChunkRef, largestPlain, tagLength } from './chunk.ts';

const packForm = /^\d{1,6}\.[0-9a-f]{32}$/;
const hashForm = /^[A-Za-z0-9+/]{43}=$/;
/** Packs end below this; offsets are 32 bits in nonces and footers. */
const largestPack = 128 << 20;

/** Checks one chunk reference that came from a store. Sizes are checked here, so that readers may allocate by them. */
export function checkRef(value: unknown): ChunkRef {
  if (Array.isArray(value) && value.length === 6) {
    const [digest, pack, offset, stored, plain, codec] = value as unknown[];
    if (
      typeof digest === 'string' &&
      hashForm.test(digest) &&
      typeof pack === 'string' &&
      packForm.test(pack) &&
      whole(offset, largestPack) &&
      whole(stored, largestPlain + tagLength) &&
      stored >= tagLength &&
      whole(plain, largestPlain) &&
      (codec === 0 || codec === 1) &&
      (codec === 1 || stored === plain + tagLength)
    ) {
      return value as ChunkRef;
    }
  }
  throw new TranshipError('Integrity', 'A manifest holds a chunk reference that is not valid.');
}

function whole(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}
