import { type ChunkRef, type Entry, listSpan, type PlacedChunk, type VolumeStore } from '../archive/index.ts';

/** A piece of work on one file's content: chunks to write, and ranges of chunk numbers that must read as zeros. */
export interface Part {
  /** Chunk numbers this part is about, `to` excluded. */
  from: number;
  to: number;
  chunks: PlacedChunk[];
  zeros: [from: number, to: number][];
}

/** Chunks per part: with 1 MiB chunks, what one stream fetches at a time. */
const perPart = 4;

/**
 * What differs between the new content and every older state that the target may be in. Lists that all have in common are neither read nor looked at,
 * so the work follows the change, not the size.
 */
export async function* changedParts(
  store: VolumeStore,
  entry: Entry,
  olds: Entry[],
  chunkSize: number,
  signal: AbortSignal,
): AsyncGenerator<Part> {
  const spans = [entry, ...olds].map(spansOf);
  const starts = [...new Set(spans.flatMap((span) => [...span.keys()]))].toSorted((a, b) => a - b);
  const count = Math.ceil((entry.size ?? 0) / chunkSize);
  const part = new PartBuilder();
  for (const start of starts) {
    const held = spans.map((span) => span.get(start));
    const [mine, ...others] = held;
    if (typeof mine?.list === 'string' && others.every((other) => other?.list === mine.list)) continue;
    const loaded: Map<number, ChunkRef>[] = [];
    for (const span of held) loaded.push(new Map(span === undefined ? [] : await span.load(store, signal)));
    const [now = new Map<number, ChunkRef>(), ...before] = loaded;
    const numbers = [...new Set(loaded.flatMap((chunks) => [...chunks.keys()]))].toSorted((a, b) => a - b);
    for (const number of numbers) {
      if (number >= count) continue; // cut off by the truncation
      const ref = now.get(number);
      if (before.every((chunks) => chunks.get(number)?.[0] === ref?.[0])) continue;
      if (ref === undefined) part.zero(number, number + 1);
      else part.write(number, ref);
      if (part.full) yield part.take();
    }
  }
  if (!part.empty) yield part.take();
}

/** All content of an entry. With `zeros`, the gaps between chunks are named too. */
export async function* allParts(
  store: VolumeStore,
  entry: Entry,
  zeros: boolean,
  chunkSize: number,
  signal: AbortSignal,
): AsyncGenerator<Part> {
  const count = Math.ceil((entry.size ?? 0) / chunkSize);
  const part = new PartBuilder();
  let next = 0;
  for (const [, span] of [...spansOf(entry)].toSorted(([a], [b]) => a - b)) {
    for (const [number, ref] of await span.load(store, signal)) {
      if (number >= count) continue;
      if (zeros && number > next) part.zero(next, number);
      part.write(number, ref);
      next = number + 1;
      if (part.full) yield part.take();
    }
  }
  if (zeros && next < count) part.zero(next, count);
  if (!part.empty) yield part.take();
}

interface Span {
  /** SHA-256 of the list, when it is one. */
  list: string | undefined;
  load(store: VolumeStore, signal: AbortSignal): Promise<PlacedChunk[]>;
}

function spansOf(entry: Entry): Map<number, Span> {
  const spans = new Map<number, Span>();
  for (const [start, ref] of entry.lists ?? [])
    spans.set(start, { list: ref[0], load: async (store, signal) => await store.readList(ref, signal) });
  for (const chunk of entry.chunks ?? []) {
    const start = chunk[0] - (chunk[0] % listSpan);
    const span = spans.get(start);
    if (span === undefined) {
      const chunks = (entry.chunks ?? []).filter(([number]) => number >= start && number < start + listSpan);
      spans.set(start, { list: undefined, load: async () => chunks });
    }
  }
  return spans;
}

class PartBuilder {
  #chunks: PlacedChunk[] = [];
  #zeros: [number, number][] = [];

  get empty(): boolean {
    return this.#chunks.length === 0 && this.#zeros.length === 0;
  }

  get full(): boolean {
    return this.#chunks.length >= perPart || this.#zeros.length >= 256;
  }

  write(number: number, ref: ChunkRef): void {
    this.#chunks.push([number, ref]);
  }

  zero(from: number, to: number): void {
    const last = this.#zeros.at(-1);
    if (last !== undefined && last[1] === from) last[1] = to;
    else this.#zeros.push([from, to]);
  }

  take(): Part {
    const from = Math.min(this.#chunks[0]?.[0] ?? Infinity, this.#zeros[0]?.[0] ?? Infinity);
    const to = Math.max((this.#chunks.at(-1)?.[0] ?? -1) + 1, this.#zeros.at(-1)?.[1] ?? 0);
    const part = { from, to, chunks: this.#chunks, zeros: this.#zeros };
    this.#chunks = [];
    this.#zeros = [];
    return part;
  }
}
