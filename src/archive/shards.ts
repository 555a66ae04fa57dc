import { TranshipError } from '../errors.ts';
import type { ChunkRef } from './chunk.ts';
import { type Entry, parseEntry, type PlacedChunk } from './entry.ts';
import { comparePaths } from './path.ts';
import type { RoundDocument } from './round.ts';
import type { VolumeStore } from './volume.ts';

const smallest = 128 << 10;
const largest = 4 << 20;

/** How a shard or list becomes a reference: an equal one of an earlier round is named again, not stored again. */
export type StoreMeta = (plain: Buffer) => Promise<ChunkRef>;

/**
 * Cuts the manifest into shards. Where to cut depends on paths (one of 512) once a shard has some size, so that a change moves
 * no cut but its own, and the shards of unchanged parts of the tree stay equal from round to round.
 */
export class ShardWriter {
  readonly #store: StoreMeta;
  #lines: string[] = [];
  #bytes = 0;
  readonly shards: ChunkRef[] = [];

  constructor(store: StoreMeta) {
    this.#store = store;
  }

  /** Adds one entry, given as its JSON line; in manifest order. */
  async add(path: string, line: string): Promise<void> {
    if (this.#bytes + line.length > largest) await this.#cut();
    this.#lines.push(line);
    this.#bytes += line.length + 1;
    if (this.#bytes >= smallest && pathBits(path) % 512 === 0) await this.#cut();
  }

  async finish(): Promise<ChunkRef[]> {
    await this.#cut();
    return this.shards;
  }

  async #cut(): Promise<void> {
    if (this.#lines.length === 0) return;
    this.shards.push(await this.#store(Buffer.from(`${this.#lines.join('\n')}\n`)));
    this.#lines = [];
    this.#bytes = 0;
  }
}

/** FNV-1a, 32 bits. */
function pathBits(path: string): number {
  let bits = 0x811c9dc5;
  for (let at = 0; at < path.length; at++) bits = Math.imul(bits ^ path.charCodeAt(at), 0x01000193);
  return bits >>> 0;
}

/**
 * Rounds without the shards that all of them have: equal shards hold the same entries of the same range of paths, so a comparison of what is left finds
 * every difference, and its work follows the change, not the volume.
 */
export function differing(documents: readonly Pick<RoundDocument, 'shards'>[]): { shards: ChunkRef[]; skipped: boolean }[] {
  const [first, ...others] = documents.map(({ shards }) => new Set(shards.map(([digest]) => digest)));
  const common = new Set([...(others.length === 0 ? [] : (first ?? []))].filter((digest) => others.every((other) => other.has(digest))));
  return documents.map(({ shards }) => ({ shards: shards.filter(([digest]) => !common.has(digest)), skipped: common.size > 0 }));
}

/**
 * All entries of a round in manifest order, one shard in memory and the next on its way.
 * @throws TranshipError Integrity when the order is wrong: merging relies on it, and a doubled path could lead through a link.
 */
export async function* readEntries(
  store: VolumeStore,
  document: Pick<RoundDocument, 'shards'>,
  signal?: AbortSignal,
): AsyncGenerator<Entry> {
  let last: string | undefined;
  let next: Promise<Buffer> | undefined;
  for (const [index, ref] of document.shards.entries()) {
    const plain = await (next ?? store.readChunk(ref, signal));
    const following = document.shards[index + 1];
    next = following === undefined ? undefined : store.readChunk(following, signal);
    next?.catch(() => {}); // reported when it is awaited
    for (const line of plain.toString('utf8').split('\n')) {
      if (line === '') continue;
      const entry = parseEntry(line);
      if (last !== undefined && comparePaths(last, entry.path) >= 0) throw new TranshipError('Integrity', 'A manifest is not in order.');
      last = entry.path;
      yield entry;
    }
  }
}

/** The chunks of one file or device, list by list. */
export async function* readChunks(store: VolumeStore, entry: Entry | undefined, signal?: AbortSignal): AsyncGenerator<PlacedChunk> {
  if (entry?.chunks !== undefined) yield* entry.chunks;
  for (const [, ref] of entry?.lists ?? []) yield* await store.readList(ref, signal);
}
