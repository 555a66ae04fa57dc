import {
  type ChunkRef,
  type Entry,
  KnownChunks,
  type PlacedChunk,
  readChunks,
  readEntries,
  type RoundDocument,
  type VolumeStore,
} from '../archive/index.ts';

/** The chunks of a file or device in the parent round, asked for in order: one list of them is in memory. */
export class EarlierChunks {
  readonly #chunks: AsyncIterator<PlacedChunk>;
  #head: PlacedChunk | undefined;
  #started = false;

  constructor(store: VolumeStore, entry: Entry | undefined, signal: AbortSignal) {
    this.#chunks = readChunks(store, entry, signal)[Symbol.asyncIterator]();
  }

  /** The chunks with numbers from `from` to below `to`. */
  async range(from: number, to: number): Promise<PlacedChunk[]> {
    if (!this.#started) await this.#advance();
    this.#started = true;
    const found: PlacedChunk[] = [];
    for (; this.#head !== undefined && this.#head[0] < to; await this.#advance()) if (this.#head[0] >= from) found.push(this.#head);
    return found;
  }

  async #advance(): Promise<void> {
    const next = await this.#chunks.next();
    this.#head = next.done === true ? undefined : next.value;
  }
}

/** The chunk that the parent round has at this place, when it holds the same bytes. */
export function sameAsEarlier(
  earlier: readonly PlacedChunk[] | undefined,
  number: number,
  digest: string,
  length: number,
): ChunkRef | undefined {
  const ref = earlier?.find(([other]) => other === number)?.[1];
  return ref !== undefined && ref[0] === digest && ref[4] === length ? ref : undefined;
}

/**
 * Chunks that need not be sent although they are not at their place in the parent round: what a killed run of this round has stored already, and, as far as
 * there is room, what the parent has at other places (renamed files).
 */
export async function knownChunks(
  store: VolumeStore,
  round: number,
  parent: RoundDocument | undefined,
  signal: AbortSignal,
): Promise<KnownChunks> {
  const known = KnownChunks.empty();
  for await (const refs of store.leftovers(round, signal)) {
    for (const ref of refs) known.add(ref);
    if (known.full) return known;
  }
  if (parent === undefined) return known;
  for await (const entry of readEntries(store, parent, signal)) {
    for (const [, ref] of entry.lists ?? []) known.add(ref);
    for await (const [, ref] of readChunks(store, entry, signal)) known.add(ref);
    if (known.full) return known;
  }
  return known;
}
