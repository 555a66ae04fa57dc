import type { ChunkRef, Codec } from './chunk.ts';

const slotBytes = 52;
/** Above this many chunks (2 TiB of full ones) the rest is simply stored again. */
export const mostKnown = 2 << 20;

/**
 * Chunks that are already stored, by SHA-256, in shared memory: the main thread fills it (parent round, leftovers of a killed run),
 * workers look up. Open addressing; 52 bytes per slot, at most half full.
 */
export class KnownChunks {
  #bytes: Buffer;
  #slots: number;
  #packs: string[];
  #count = 0;
  readonly #packIndex = new Map<string, number>();

  private constructor(shared: SharedArrayBuffer, packs: string[]) {
    this.#bytes = Buffer.from(shared);
    this.#slots = Math.floor(shared.byteLength / slotBytes);
    this.#packs = packs;
  }

  static empty(): KnownChunks {
    return new KnownChunks(new SharedArrayBuffer(1024 * slotBytes), []);
  }

  /** What a worker needs to see the same table. Nothing may be added afterwards. */
  share(): { shared: SharedArrayBuffer; packs: string[] } {
    return { shared: this.#bytes.buffer as unknown as SharedArrayBuffer, packs: this.#packs };
  }

  static from(shared: { shared: SharedArrayBuffer; packs: string[] }): KnownChunks {
    return new KnownChunks(shared.shared, shared.packs);
  }

  /** The stored chunk with this SHA-256 (base64) and length, if there is one. */
  find(digest: string, plain: number): ChunkRef | undefined {
    const at = this.#slotOf(Buffer.from(digest, 'base64'));
    const pack = this.#packs[this.#bytes.readUInt32LE(at + 32) - 1];
    if (pack === undefined || this.#bytes.readUInt32LE(at + 44) !== plain) return undefined;
    return [
      digest,
      pack,
      this.#bytes.readUInt32LE(at + 36),
      this.#bytes.readUInt32LE(at + 40),
      plain,
      this.#bytes.readUInt32LE(at + 48) as Codec,
    ];
  }

  add(ref: ChunkRef): void {
    const [digest, pack, offset, stored, plain, codec] = ref;
    const wanted = Buffer.from(digest, 'base64');
    if (this.#count >= mostKnown) return;
    if (this.#count * 2 >= this.#slots) this.#grow();
    const at = this.#slotOf(wanted);
    if (this.#bytes.readUInt32LE(at + 32) !== 0) return;
    let index = this.#packIndex.get(pack);
    if (index === undefined) {
      index = this.#packs.push(pack);
      this.#packIndex.set(pack, index);
    }
    wanted.copy(this.#bytes, at);
    [index, offset, stored, plain, codec].forEach((value, field) => this.#bytes.writeUInt32LE(value, at + 32 + field * 4));
    this.#count++;
  }

  /** The byte position of the slot that holds this hash, or of the free one where it belongs. Pack number 0 marks a free slot. */
  #slotOf(wanted: Buffer): number {
    for (let slot = wanted.readUInt32LE(0) % this.#slots; ; slot = (slot + 1) % this.#slots) {
      const at = slot * slotBytes;
      if (this.#bytes.readUInt32LE(at + 32) === 0 || wanted.compare(this.#bytes, at, at + 32) === 0) return at;
    }
  }

  #grow(): void {
    const old = this.#bytes;
    this.#bytes = Buffer.from(new SharedArrayBuffer(old.length * 2));
    this.#slots = Math.floor(this.#bytes.length / slotBytes);
    for (let at = 0; at + slotBytes <= old.length; at += slotBytes) {
      if (old.readUInt32LE(at + 32) !== 0) old.copy(this.#bytes, this.#slotOf(old.subarray(at, at + 32)), at, at + slotBytes);
    }
  }
}
