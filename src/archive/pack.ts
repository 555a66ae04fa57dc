import { hash, randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { TranshipError } from '../errors.ts';
import { alignedBuffer, giveBack, type Location } from '../location/index.ts';
import { type ChunkRef, type Codec, compress, largestPlain, openChunk, packKey, sealChunk, tagLength } from './chunk.ts';
import { packName } from './names.ts';
import { checkRef } from './ref.ts';

const magic = Buffer.from('TRP1');
const footerMagic = Buffer.from('TRPX');
const headerLength = 4;
const footerLength = 16;
/** The index of a pack is sealed like a chunk, under a codec number that no chunk has. */
const indexCodec = 2;

/** A pack is full at this size, bytes. */
export const packTarget = 16 << 20;
const mostChunks = 32768;
/** A full pack with its index, as a rule. Aligned: a directory store writes it past the page cache. */
const bufferSize = packTarget + (2 << 20);

export interface PackPlace {
  location: Location;
  lineage: string;
  key: Buffer;
  volumeId: string;
  round: number;
}

export interface PackWriterOptions {
  /** Called with the bytes of each finished pack before it is sent: the place of the bandwidth limit. */
  throttle?: (bytes: number) => Promise<void>;
  signal?: AbortSignal;
  /** False: no chunk is taken while a pack is sent, and memory is one pack instead of two. For many streams, which overlap each other. Default true. */
  overlap?: boolean;
  /** True for a writer that may have little to write: memory grows with what there is. */
  little?: boolean;
  /** Packs end at this size, bytes, when it is less than the usual one: a bandwidth limit is kept per pack, so packs must be small beside it. */
  target?: number | undefined;
}

/**
 * Collects chunks into packs and uploads them, one upload at a time while the next pack fills: memory is two packs. References are valid
 * at once, but may be committed only after `finish`.
 */
export class PackWriter {
  readonly #place: PackPlace;
  readonly #options: PackWriterOptions;
  readonly #target: number;
  readonly #little: boolean;
  #buffer: Buffer | undefined;
  #spare: Buffer | undefined;
  #used = 0;
  #pack = '';
  #key: Buffer = Buffer.alloc(0);
  #index: [string, number, number, number, Codec][] = [];
  #upload: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** Bytes stored so far. */
  bytesStored = 0;

  constructor(place: PackPlace, options: PackWriterOptions = {}) {
    this.#place = place;
    this.#options = options;
    this.#target = Math.min(packTarget, options.target ?? packTarget);
    this.#little = options.little === true || this.#target < packTarget;
  }

  /** Adds one chunk of at most 8 MiB. `digest` is its SHA-256 in base64, when the caller has it. */
  async append(plain: Buffer, digest: string = hash('sha256', plain, 'base64')): Promise<ChunkRef> {
    if (plain.length > largestPlain) throw new TranshipError('Internal', `A chunk of ${plain.length} bytes is too large.`);
    const { bytes, codec } = compress(plain);
    if (this.#buffer === undefined) this.#start();
    else if (this.#used + bytes.length + tagLength > this.#target || this.#index.length >= mostChunks) {
      await this.#send();
      this.#start();
    }
    const offset = this.#used;
    const stored = sealChunk(this.#key, this.#sealPlace(), bytes, plain.length, codec, this.#room(bytes.length), offset);
    this.#used += stored;
    if (bytes !== plain) giveBack(bytes, true);
    this.#index.push([digest, offset, stored, plain.length, codec]);
    return [digest, this.#pack, offset, stored, plain.length, codec];
  }

  /** Uploads what is left and waits for everything. Only then are the references durable. */
  async finish(): Promise<void> {
    if (this.#buffer !== undefined) await this.#send();
    await this.#upload;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #sealPlace(): string {
    return `${this.#place.lineage}\n${this.#pack}`;
  }

  #start(): void {
    this.#buffer = this.#spare ?? alignedBuffer(this.#little ? 1 << 20 : bufferSize);
    this.#spare = undefined;
    this.#pack = `${this.#place.round}.${randomBytes(16).toString('hex')}`;
    this.#key = packKey(this.#place.key, this.#place.lineage, this.#pack);
    magic.copy(this.#buffer);
    this.#used = headerLength;
    this.#index = [];
  }

  #room(more: number): Buffer {
    const buffer = this.#buffer ?? Buffer.alloc(0);
    const needed = this.#used + more + 64;
    if (needed <= buffer.length) return buffer;
    const larger = alignedBuffer(Math.max(needed, Math.min(2 * buffer.length, bufferSize)));
    buffer.copy(larger, 0, 0, this.#used);
    giveBack(buffer);
    this.#buffer = larger;
    return larger;
  }

  async #send(): Promise<void> {
    const plain = Buffer.from(JSON.stringify(this.#index));
    const packed = zstdCompressSync(plain);
    const buffer = this.#room(packed.length + tagLength + footerLength);
    const offset = this.#used;
    const stored = sealChunk(this.#key, this.#sealPlace(), packed, plain.length, indexCodec, buffer, offset);
    const footer = offset + stored;
    buffer.writeUInt32BE(offset, footer);
    buffer.writeUInt32BE(stored, footer + 4);
    buffer.writeUInt32BE(plain.length, footer + 8);
    footerMagic.copy(buffer, footer + 12);
    this.#buffer = undefined;
    const name = packName(this.#place.lineage, this.#place.volumeId, this.#pack);
    const body = buffer.subarray(0, footer + footerLength);
    await this.#upload;
    if (this.#failure !== undefined) throw this.#failure;
    this.#upload = this.#put(name, body, buffer);
    if (this.#options.overlap === false) await this.#upload;
  }

  /** Never rejects: the failure is thrown by the next append or by finish, where somebody listens. */
  async #put(name: string, body: Buffer, buffer: Buffer): Promise<void> {
    const { signal } = this.#options;
    try {
      await this.#options.throttle?.(body.length);
      await this.#place.location.put(name, body, { ifAbsent: true, ...(signal === undefined ? {} : { signal }) });
      this.bytesStored += body.length;
      if (buffer.length === bufferSize) this.#spare = buffer;
      else giveBack(buffer);
    } catch (error) {
      this.#failure = error;
    }
  }
}

/**
 * The chunks of one stored pack, from the index at its end. Used to go on after a killed run; an index that does not open means that the pack
 * is not used, because it was damaged or is not ours.
 */
export async function readPackIndex(place: PackPlace, pack: string, size: number, signal?: AbortSignal): Promise<ChunkRef[]> {
  const name = packName(place.lineage, place.volumeId, pack);
  if (size < headerLength + footerLength + tagLength) return [];
  const footer = Buffer.from(await place.location.getRange(name, size - footerLength, footerLength, signal));
  const offset = footer.readUInt32BE(0);
  const stored = footer.readUInt32BE(4);
  const plainLength = footer.readUInt32BE(8);
  if (
    !footer.subarray(12).equals(footerMagic) ||
    offset + stored + footerLength !== size ||
    plainLength > largestPlain ||
    stored > largestPlain
  )
    return [];
  const sealed = Buffer.from(await place.location.getRange(name, offset, stored, signal));
  try {
    const plain = openIndex(packKey(place.key, place.lineage, pack), `${place.lineage}\n${pack}`, offset, sealed, plainLength);
    const rows: unknown = JSON.parse(plain.toString('utf8'));
    if (!Array.isArray(rows)) return [];
    return rows.map((row: unknown) => {
      if (!Array.isArray(row)) throw new TranshipError('Integrity', 'A pack index is damaged.');
      const [digest, ...rest] = row as unknown[];
      return checkRef([digest, pack, ...rest]);
    });
  } catch (error) {
    if (error instanceof TranshipError && error.code === 'Integrity') return [];
    throw error;
  }
}

function openIndex(key: Buffer, place: string, offset: number, sealed: Buffer, plainLength: number): Buffer {
  return openChunk(key, place, offset, sealed, plainLength, indexCodec);
}
