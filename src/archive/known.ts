import type { ChunkRef, Codec } from './chunk.ts';

/**
 * Bytes per slot: 20 of the SHA-256 (who looks up has the rest, and hashed it itself), pack number, offset, stored length and codec. 160 bits are far
 * more than chance or an attacker can make collide.
 */
const slotBytes = 32;
/** Slots of a table: 16 MiB. */
const usualSlots = 1 << 19;

/**
 * Chunks that are already stored, by SHA-256, in 16 MiB of shared memory: the main thread fills it, streams look up. It serves what is found at another
 * place than before: files that were renamed, and what a killed run left behind. (What stayed at its place is compared there.) When three quarters of the
 * slots are taken it is full, and what is beyond is stored again if it comes up: memory must not follow the size of a volume.
 */
export class KnownChunks {
  readonly #bytes: Buffer;
  readonly #slots: number;
  readonly #packs: string[];
  readonly #packIndex = new Map<string, number>();
  #count = 0;

  private constructor(shared: SharedArrayBuffer, packs: string[]) {
    this.#bytes = Buffer.from(shared);
    this.#slots = shared.byteLength / slotBytes;
    this.#packs = packs;
  }

  /** The system gives memory as it is written to: an empty table costs none. */
  static empty(slots = usualSlots): KnownChunks {
    return new KnownChunks(new SharedArrayBuffer(slots * slotBytes), []);
  }

  /** What a worker needs to see the same table. Nothing may be added afterwards. */
  share(): { shared: SharedArrayBuffer; packs: string[] } {
    return { shared: this.#bytes.buffer as unknown as SharedArrayBuffer, packs: this.#packs };
  }

  static from(shared: { shared: SharedArrayBuffer; packs: string[] }): KnownChunks {
    return new KnownChunks(shared.shared, shared.packs);
  }

  get full(): boolean {
    return this.#count >= (this.#slots / 4) * 3;
  }

  /** The stored chunk with this SHA-256 (base64) and length, if it is here. */
  find(digest: string, plain: number): ChunkRef | undefined {
    if (this.#packs.length === 0) return undefined;
    const at = this.#slotOf(Buffer.from(digest, 'base64'));
    const pack = this.#packs[this.#bytes.readUInt32LE(at + 20) - 1];
    if (pack === undefined) return undefined;
    const packed = this.#bytes.readUInt32LE(at + 28);
    return [digest, pack, this.#bytes.readUInt32LE(at + 24), packed >>> 1, plain, (packed & 1) as Codec];
  }

  /** Adds a chunk unless the table is full. */
  add(ref: ChunkRef): void {
    const [digest, pack, offset, stored, , codec] = ref;
    if (this.full) return;
    const wanted = Buffer.from(digest, 'base64');
    const at = this.#slotOf(wanted);
    if (this.#bytes.readUInt32LE(at + 20) !== 0) return;
    let index = this.#packIndex.get(pack);
    if (index === undefined) {
      index = this.#packs.push(pack);
      this.#packIndex.set(pack, index);
    }
    wanted.copy(this.#bytes, at, 0, 20);
    this.#bytes.writeUInt32LE(index, at + 20);
    this.#bytes.writeUInt32LE(offset, at + 24);
    this.#bytes.writeUInt32LE(((stored << 1) | codec) >>> 0, at + 28);
    this.#count++;
  }

  /** The byte position of the slot that holds this hash, or of the free one where it belongs. Pack number 0 marks a free slot. */
  #slotOf(wanted: Buffer): number {
    for (let slot = wanted.readUInt32LE(0) % this.#slots; ; slot = (slot + 1) % this.#slots) {
      const at = slot * slotBytes;
      if (this.#bytes.readUInt32LE(at + 20) === 0 || wanted.compare(this.#bytes, at, at + 20, 0, 20) === 0) return at;
    }
  }
}
