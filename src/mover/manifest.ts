import { hash } from 'node:crypto';
import {
  type ChunkRef,
  type Entry,
  type KnownChunks,
  listSpan,
  type PackWriter,
  type PlacedChunk,
  ShardWriter,
  type StoreMeta,
} from '../archive/index.ts';

/** Files with more chunks than this keep them in lists, so that an entry stays small and unchanged parts are shared between rounds. */
const mostInline = 128;

/** One entry that waits for its content: parts arrive in any order, entries leave in manifest order. */
class Slot {
  readonly entry: Entry;
  readonly #parts: (PlacedChunk[] | undefined)[];
  #missing: number;
  dropped = false;

  constructor(entry: Entry, parts: number) {
    this.entry = entry;
    this.#parts = Array.from({ length: parts }, () => undefined);
    this.#missing = parts;
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  fill(part: number, chunks: PlacedChunk[]): void {
    this.#parts[part] = chunks;
    this.#missing--;
  }

  chunks(): PlacedChunk[] {
    return this.#parts.flatMap((part) => part ?? []);
  }
}

/** Builds the manifest of a round from entries and parts. */
export class ManifestBuilder {
  readonly #shards: ShardWriter;
  readonly #store: StoreMeta;
  #slots: Slot[] = [];
  #head = 0;
  files = 0;
  bytes = 0;

  constructor(writer: PackWriter, known: KnownChunks) {
    this.#store = async (plain): Promise<ChunkRef> => {
      const digest = hash('sha256', plain, 'base64');
      return known.find(digest, plain.length) ?? (await writer.append(plain, digest));
    };
    this.#shards = new ShardWriter(this.#store);
  }

  /** Entries that wait for content, the head among them. */
  get waiting(): number {
    return this.#slots.length - this.#head;
  }

  /** Announces the next entry; `parts` results will follow by `slot.fill`. */
  announce(entry: Entry, parts: number): Slot {
    const slot = new Slot(entry, parts);
    this.#slots.push(slot);
    return slot;
  }

  /** Writes out what is complete from the front. */
  async flush(): Promise<void> {
    for (let slot = this.#slots[this.#head]; slot?.complete === true; slot = this.#slots[this.#head]) {
      this.#head++;
      if (!slot.dropped) await this.#emit(slot);
    }
    if (this.#head > 4096) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
  }

  async finish(): Promise<ChunkRef[]> {
    await this.flush();
    return await this.#shards.finish();
  }

  async #emit(slot: Slot): Promise<void> {
    const { entry } = slot;
    const chunks = slot.chunks();
    if (chunks.length > mostInline) {
      entry.lists = await this.#lists(chunks);
      entry.used = chunks.reduce((sum, [, ref]) => sum + ref[4], 0);
    } else if (chunks.length > 0) entry.chunks = chunks;
    if (entry.type !== 'directory') this.files++;
    this.bytes += entry.used ?? entry.chunks?.reduce((sum, [, ref]) => sum + ref[4], 0) ?? 0;
    await this.#shards.add(entry.path, JSON.stringify(entry));
  }

  async #lists(chunks: PlacedChunk[]): Promise<PlacedChunk[]> {
    const lists: PlacedChunk[] = [];
    for (let at = 0; at < chunks.length;) {
      const span = Math.floor((chunks[at]?.[0] ?? 0) / listSpan);
      let end = at;
      while (end < chunks.length && Math.floor((chunks[end]?.[0] ?? 0) / listSpan) === span) end++;
      lists.push([span * listSpan, await this.#store(Buffer.from(JSON.stringify(chunks.slice(at, end))))]);
      at = end;
    }
    return lists;
  }
}

export type { Slot };
