import { hash } from 'node:crypto';
import { type ChunkRef, type Entry, listSpan, type PlacedChunk, ShardWriter, type StoreMeta } from '../archive/index.ts';

/** Files with more chunks than this keep them in lists, so that an entry stays small and unchanged parts are shared between rounds. */
const mostInline = 128;

/** Where shards and lists go: into a pack, unless an equal one is stored already. */
export interface MetaStore {
  find(digest: string, length: number): ChunkRef | undefined;
  append(plain: Buffer, digest: string): Promise<ChunkRef>;
}

/**
 * One entry that waits for its content. Parts are announced in the order of the content and arrive in any order; what has arrived from the front leaves in
 * lists, so that a device of many TiB is never here as a whole.
 */
export class Slot {
  readonly entry: Entry;
  readonly #tally: { held: number };
  /** Lists of the parent round's entry that are still ahead: equal ones are named again. */
  #earlier: PlacedChunk[];
  readonly #arrived = new Map<number, PlacedChunk[]>();
  #announced = 0;
  #taken = 0;
  #closed = false;
  #pending: PlacedChunk[] = [];
  #lists: PlacedChunk[] = [];
  #used = 0;
  dropped = false;
  /** It was said that it changed under the read. */
  noted = false;

  constructor(entry: Entry, tally: { held: number }, earlier?: Entry) {
    this.entry = entry;
    this.#tally = tally;
    this.#earlier = earlier?.lists ?? [];
  }

  /** Announces the next part of the content; returns its number. */
  expect(): number {
    return this.#announced++;
  }

  /** No more parts will be announced. */
  close(): void {
    this.#closed = true;
  }

  get complete(): boolean {
    return this.#closed && this.#taken + this.#arrived.size === this.#announced;
  }

  fill(part: number, chunks: PlacedChunk[]): void {
    this.#arrived.set(part, chunks);
    this.#tally.held += chunks.length;
  }

  /** Takes what arrived from the front, and writes lists once it is clear that there will be some. True when nothing is missing. */
  async advance(store: StoreList): Promise<boolean> {
    for (let chunks = this.#arrived.get(this.#taken); chunks !== undefined; chunks = this.#arrived.get(this.#taken)) {
      this.#arrived.delete(this.#taken);
      this.#taken++;
      for (const chunk of chunks) {
        this.#pending.push(chunk);
        this.#used += chunk[1][4];
      }
    }
    // Parts may arrive while a list is stored: they are for the next call.
    const all = this.#closed && this.#taken === this.#announced;
    if (this.#lists.length === 0 && this.#pending.length <= mostInline) return all;
    // The last span may grow until all is there.
    const until = all ? Infinity : spanOf(this.#pending.at(-1));
    for (let span = spanOf(this.#pending[0]); this.#pending.length > 0 && span < until; span = spanOf(this.#pending[0])) {
      let end = 1;
      while (end < this.#pending.length && spanOf(this.#pending[end]) === span) end++;
      const list = this.#pending.slice(0, end);
      this.#pending = this.#pending.slice(end);
      this.#tally.held -= end;
      const start = span * listSpan;
      this.#lists.push([start, await store(Buffer.from(JSON.stringify(list)), this.#earlierAt(start))]);
    }
    return all;
  }

  /** The entry with its content. */
  finished(): Entry {
    if (this.#lists.length > 0) {
      this.entry.lists = this.#lists;
      this.entry.used = this.#used;
    } else if (this.#pending.length > 0) this.entry.chunks = this.#pending;
    this.#tally.held -= this.#pending.length;
    return this.entry;
  }

  #earlierAt(start: number): ChunkRef | undefined {
    const at = this.#earlier.findIndex(([first]) => first >= start);
    this.#earlier = at < 0 ? [] : at === 0 ? this.#earlier : this.#earlier.slice(at);
    const [first, ref] = this.#earlier[0] ?? [];
    return first === start ? ref : undefined;
  }
}

type StoreList = (plain: Buffer, known?: ChunkRef) => Promise<ChunkRef>;

function spanOf(chunk: PlacedChunk | undefined): number {
  return Math.floor((chunk?.[0] ?? 0) / listSpan);
}

/** Builds the manifest of a round from entries and parts. Entries leave in manifest order. */
export class ManifestBuilder {
  readonly #shards: ShardWriter;
  readonly #store: StoreList;
  readonly #tally = { held: 0 };
  #slots: Slot[] = [];
  #head = 0;
  files = 0;
  bytes = 0;

  constructor(meta: MetaStore) {
    this.#store = async (plain, known) => {
      const digest = hash('sha256', plain, 'base64');
      if (known?.[0] === digest) return known;
      return meta.find(digest, plain.length) ?? (await meta.append(plain, digest));
    };
    const store: StoreMeta = async (plain) => await this.#store(plain);
    this.#shards = new ShardWriter(store);
  }

  /** Entries that wait for content, the head among them. */
  get waiting(): number {
    return this.#slots.length - this.#head;
  }

  /** References to chunks that wait in memory. */
  get held(): number {
    return this.#tally.held;
  }

  /** Announces an entry without content to come. */
  add(entry: Entry): void {
    this.open(entry).close();
  }

  /** Announces the next entry, whose parts will follow. */
  open(entry: Entry, earlier?: Entry): Slot {
    const slot = new Slot(entry, this.#tally, earlier);
    this.#slots.push(slot);
    return slot;
  }

  /**
   * Another name of a file whose name `gone` is no more, among those that wait behind it; undefined when no name is left. Names wait as long as the first one
   * has no content, so none of them is missed.
   */
  otherName(first: string, gone: string): string | undefined {
    const names = this.#slots
      .slice(this.#head)
      .filter(({ entry, dropped }) => !dropped && entry.type === 'hardlink' && entry.link === first);
    for (const slot of names) if (slot.entry.path === gone) slot.dropped = true;
    return names.find(({ dropped }) => !dropped)?.entry.path;
  }

  /** Writes out what is complete from the front, and lists of the entry at the front. */
  async flush(): Promise<void> {
    for (let slot = this.#slots[this.#head]; slot !== undefined; slot = this.#slots[this.#head]) {
      if (!(await slot.advance(this.#store))) break;
      this.#head++;
      const entry = slot.finished();
      if (!slot.dropped) await this.#emit(entry);
    }
    if (this.#head > 512) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
  }

  async finish(): Promise<ChunkRef[]> {
    await this.flush();
    return await this.#shards.finish();
  }

  async #emit(entry: Entry): Promise<void> {
    if (entry.type !== 'directory') this.files++;
    this.bytes += entry.used ?? entry.chunks?.reduce((sum, [, ref]) => sum + ref[4], 0) ?? 0;
    await this.#shards.add(entry.path, JSON.stringify(entry));
  }
}
