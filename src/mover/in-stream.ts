import { closeSync, constants, openSync, readSync } from 'node:fs';
import { hash } from 'node:crypto';
import { type ChunkRef, type Entry, parseKey, type PlacedChunk, type VolumeStore, volumeStore } from '../archive/index.ts';
import { giveBack, openLocation, type RelayTransport } from '../location/index.ts';
import { codeOf, TranshipError } from '../errors.ts';
import { applyAttributes, applyToNewFile } from './attributes.ts';
import type { Part } from './content.ts';
import { DirectWriter, writeFully } from './direct-writer.ts';
import { fetchChunks } from './fetch.ts';
import { Meter } from './meter.ts';
import { reasonOf } from './problems.ts';
import { openDirect, type Piece, readPieces } from './pieces.ts';
import type { StreamSetup } from './pool.ts';
import type { CopyInJob, VerifyJob } from './protocol.ts';
import { dropCache, nextData, punch } from './sys.ts';
import { Throttle } from './throttle.ts';
import { Tree } from './tree.ts';
import { type How, openTarget } from './write.ts';

export interface WriteItem {
  entry: Entry;
  how: How;
  part: Part;
  /** The part is the whole content: the stream makes the file and gives it its attributes. */
  whole: boolean;
}

export type InTask = { op: 'write' | 'verify'; items: WriteItem[] } | { finish: true };
/** Per item: undefined when it went well, else the reason. */
export type InResult = (string | undefined)[];

/** One stream of a copy-in or a verification. */
export function startInStream(
  setup: StreamSetup,
  job: CopyInJob | VerifyJob,
): (relay: RelayTransport) => (task: unknown) => Promise<unknown> {
  return (relay) => {
    const location = openLocation(job.archive.location, { relay, connections: 6 });
    const store = volumeStore(location, job.archive.lineage, parseKey(job.archive.key), job.volume);
    const stream = new InStream(setup, job, store);
    return async (task) => {
      const wanted = task as InTask;
      if ('finish' in wanted) {
        await location.close();
        return undefined;
      }
      return wanted.op === 'write' ? await stream.write(wanted.items) : await stream.verify(wanted.items);
    };
  };
}

class InStream {
  readonly #job: CopyInJob | VerifyJob;
  readonly #store: VolumeStore;
  readonly #meter: Meter;
  readonly #chunkSize: number;
  readonly #throttle: Throttle;
  readonly #tree: Tree | undefined;
  readonly #buffer: Buffer;
  readonly #zeros: Buffer;
  readonly #direct = new DirectWriter();

  constructor(setup: StreamSetup, job: CopyInJob | VerifyJob, store: VolumeStore) {
    this.#job = job;
    this.#store = store;
    this.#meter = new Meter(setup.meter);
    this.#chunkSize = setup.chunkSize;
    this.#throttle = new Throttle(job.op === 'copy-in' ? job.bytesPerSecondPerStream : undefined);
    this.#tree = job.target.mode === 'Filesystem' ? new Tree(job.target.path) : undefined;
    this.#buffer = Buffer.allocUnsafeSlow(setup.chunkSize);
    this.#zeros = Buffer.alloc(setup.chunkSize);
  }

  async write(items: WriteItem[]): Promise<InResult> {
    const results: InResult = items.map(() => undefined);
    // Healing first looks at what is there, and fetches only what is not right.
    for (const [index, item] of items.entries()) {
      if (item.how !== 'heal') continue;
      try {
        this.#compare(item);
      } catch (error) {
        results[index] = reasonOf(error);
      }
    }
    const fetched = await this.#fetch(items.filter((_, index) => results[index] === undefined));
    try {
      for (const [index, item] of items.entries()) {
        if (results[index] !== undefined) continue;
        try {
          const writing = this.#apply(item, fetched.get);
          if (writing !== undefined) await writing;
        } catch (error) {
          if (codeOf(error) === 'Integrity') results[index] = await this.#applyAgain(item);
          else if (error instanceof TranshipError) throw error; // a touched target ends the job
          else results[index] = reasonOf(error);
        }
      }
    } finally {
      fetched.release();
    }
    return results;
  }

  async #fetch(items: WriteItem[]): ReturnType<typeof fetchChunks> {
    const refs = items.flatMap(({ part }) => part.chunks.map(([, ref]) => ref));
    return await fetchChunks(this.#store, refs, this.#throttle, (bytes) => this.#meter.add('bytesTransferred', bytes));
  }

  /** Once more with bytes that are asked for anew: what was changed on the way heals. Damaged data in the store end the job. */
  async #applyAgain(item: WriteItem): Promise<string | undefined> {
    const fetched = await this.#fetch([item]);
    try {
      await this.#apply(item, fetched.get);
      return undefined;
    } catch (error) {
      if (error instanceof TranshipError) throw error;
      return reasonOf(error);
    } finally {
      fetched.release();
    }
  }

  #open(item: WriteItem): number {
    if (this.#tree === undefined) return openSync(this.#job.target.path, constants.O_RDWR);
    const { entry, part, whole, how } = item;
    // One chunk that is all of a new file gives it its size by being written.
    const sized = whole && how === 'create' && part.chunks.length === 1 && part.chunks[0]?.[1][4] === entry.size && entry.sparse !== true;
    return openTarget(this.#tree, entry, whole ? how : 'change', sized);
  }

  /** Small content is written at once; a promise is returned for large one only. */
  #apply(item: WriteItem, fetched: (ref: ChunkRef) => Buffer): Promise<void> | undefined {
    const { entry, how, part } = item;
    const fd = this.#open(item);
    let large = false;
    let attributed = false;
    try {
      for (const [from, to] of part.zeros) this.#zero(fd, from * this.#chunkSize, Math.min(to * this.#chunkSize, entry.size ?? 0));
      const sparse = entry.sparse === true && how === 'create';
      if (!sparse && part.chunks.some(([, ref]) => ref[4] >= directFrom)) {
        const direct = openDirect(fd, constants.O_WRONLY);
        if (direct !== undefined) {
          large = true;
          return this.#applyDirect(item, fetched, fd, direct);
        }
      }
      for (const [number, ref] of part.chunks) {
        const plain = this.#plainOf(item, number, ref, fetched);
        this.#put(fd, plain, number * this.#chunkSize, sparse);
        giveBack(plain, true);
      }
      this.#count(item);
      attributed = item.whole && how === 'create' && this.#tree !== undefined && applyToNewFile(fd, entry);
    } finally {
      if (!large) closeSync(fd);
    }
    if (attributed) this.#meter.add('filesDone', 1);
    else this.#finish(item);
    return undefined;
  }

  async #applyDirect(item: WriteItem, fetched: (ref: ChunkRef) => Buffer, fd: number, direct: number): Promise<void> {
    const writes: Promise<void>[] = [];
    try {
      for (const [number, ref] of item.part.chunks) {
        const plain = this.#plainOf(item, number, ref, fetched);
        const { written } = await this.#direct.begin(direct, fd, plain, number * this.#chunkSize);
        // A disk that is full says so before the last chunk is on its way: the error waits for `all`, it must not end the thread.
        written.catch(() => {});
        writes.push(written);
        giveBack(plain, true);
      }
      await Promise.all(writes);
      this.#count(item);
    } finally {
      await Promise.allSettled(writes);
      closeSync(direct);
      closeSync(fd);
    }
    this.#finish(item);
  }

  #plainOf({ entry }: WriteItem, number: number, ref: ChunkRef, fetched: (ref: ChunkRef) => Buffer): Buffer {
    const plain = this.#store.open(ref, fetched(ref));
    this.#checkSize(entry, number, plain.length);
    if (this.#job.op === 'copy-in' && this.#job.verify === 'None' && hash('sha256', plain, 'base64') !== ref[0]) {
      throw new TranshipError('Integrity', `A chunk of ${entry.path} is not the one that the manifest names.`);
    }
    return plain;
  }

  /** When all of the part is written: a part that is written again counts once. */
  #count({ how, part }: WriteItem): void {
    const bytes = part.chunks.reduce((sum, [, ref]) => sum + ref[4], 0);
    this.#meter.add('bytesChanged', bytes);
    if (how !== 'heal') this.#meter.add('bytesDone', bytes);
  }

  #finish({ entry, whole }: WriteItem): void {
    if (!whole || this.#tree === undefined) return;
    applyAttributes(this.#tree, entry);
    this.#meter.add('filesDone', 1);
  }

  #checkSize(entry: Entry, number: number, length: number): void {
    const room = Math.min(this.#chunkSize, (entry.size ?? 0) - number * this.#chunkSize);
    if (length !== room) throw new TranshipError('Integrity', `Chunk ${number} of ${entry.path} has ${length} bytes, not ${room}.`);
  }

  /** Writes a chunk; of sparse files only the 4 KiB blocks that are not zero. */
  #put(fd: number, plain: Buffer, position: number, sparse: boolean): void {
    if (!sparse) {
      writeFully(fd, plain, position);
      return;
    }
    for (let at = 0; at < plain.length;) {
      let end = at;
      while (end < plain.length && !this.#isZero(plain, end, Math.min(end + 4096, plain.length))) end += 4096;
      end = Math.min(end, plain.length);
      if (end > at) writeFully(fd, plain.subarray(at, end), position + at);
      at = end > at ? end : at + 4096;
    }
  }

  #isZero(bytes: Buffer, from: number, to: number): boolean {
    return bytes.compare(this.#zeros, 0, to - from, from, to) === 0;
  }

  #zero(fd: number, from: number, to: number): void {
    if (to <= from || punch(fd, from, to - from)) return;
    for (let at = from; at < to; at += this.#chunkSize) writeFully(fd, this.#zeros.subarray(0, Math.min(this.#chunkSize, to - at)), at);
  }

  /** Keeps in the part only what the target does not hold yet. */
  #compare(item: WriteItem): void {
    const { entry, part } = item;
    const fd = this.#open(item);
    try {
      const size = entry.size ?? 0;
      const wanted = new Map(part.chunks);
      const chunks: PlacedChunk[] = [];
      const zeros: [number, number][] = [];
      for (let number = part.from; number < part.to; number++) {
        const start = number * this.#chunkSize;
        const length = Math.min(this.#chunkSize, size - start);
        const ref = wanted.get(number);
        if (ref === undefined && this.#tree !== undefined) {
          const data = nextData(fd, start, size);
          if (data === undefined || data.start >= start + length) {
            number = this.#beforeNext(part, number, data?.start);
            continue;
          }
        }
        const plain = this.#read(fd, start, length);
        this.#meter.add('bytesTargetRead', length);
        if (ref === undefined) {
          if (!this.#isZero(plain, 0, length)) zeros.push([number, number + 1]);
        } else if (hash('sha256', plain, 'base64') !== ref[0]) chunks.push([number, ref]);
        if (ref !== undefined) this.#meter.add('bytesDone', length);
      }
      item.part = { ...part, chunks, zeros };
    } finally {
      closeSync(fd);
    }
  }

  /** The last chunk number of a hole with nothing to check: a large sparse file must not cost its size. */
  #beforeNext(part: Part, number: number, dataStart: number | undefined): number {
    const chunk = part.chunks.find(([wanted]) => wanted > number)?.[0] ?? part.to;
    const data = dataStart === undefined ? part.to : Math.floor(dataStart / this.#chunkSize);
    return Math.max(number, Math.min(chunk, data, part.to) - 1);
  }

  #read(fd: number, start: number, length: number): Buffer {
    let filled = 0;
    while (filled < length) {
      const count = readSync(fd, this.#buffer, filled, length - filled, start + filled);
      if (count === 0) break;
      filled += count;
    }
    return this.#buffer.subarray(0, filled);
  }

  /** Reads back from the disk and compares with the manifest. */
  async verify(items: WriteItem[]): Promise<InResult> {
    const results: InResult = [];
    for (const item of items) {
      try {
        results.push(await this.#verifyOne(item));
      } catch (error) {
        results.push(reasonOf(error));
      }
    }
    return results;
  }

  async #verifyOne({ entry, part }: WriteItem): Promise<string | undefined> {
    const fd = this.#tree === undefined ? openSync(this.#job.target.path, constants.O_RDONLY) : this.#tree.openToRead(entry.path);
    try {
      dropCache(fd);
      const size = entry.size ?? 0;
      const pieces = part.chunks.map(([number, ref]) => {
        const start = number * this.#chunkSize;
        return { start, length: Math.min(this.#chunkSize, size - start), digest: ref[0] };
      });
      const large = pieces.some(({ length }) => length >= directFrom);
      for await (const { start, bytes, digest } of large ? readPieces(fd, pieces, 'disk') : this.#readSmall(fd, pieces)) {
        this.#meter.add('bytesDone', bytes.length);
        if (hash('sha256', bytes, 'base64') !== digest) return `content differs at byte ${start}`;
      }
      for (const [from, to] of part.zeros) {
        const wrong = this.#firstNonZero(fd, from * this.#chunkSize, Math.min(to * this.#chunkSize, size), size);
        if (wrong !== undefined) return `content differs at byte ${wrong}`;
      }
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  *#readSmall<P extends Piece>(fd: number, pieces: P[]): Generator<P & { bytes: Buffer }> {
    for (const piece of pieces) yield { ...piece, bytes: this.#read(fd, piece.start, piece.length) };
  }

  #firstNonZero(fd: number, from: number, to: number, size: number): number | undefined {
    for (let at = from; at < to; at += this.#chunkSize) {
      if (this.#tree !== undefined) {
        const data = nextData(fd, at, size);
        if (data === undefined || data.start >= to) return undefined;
        at = Math.max(at, data.start - (data.start % this.#chunkSize));
      }
      const plain = this.#read(fd, at, Math.min(this.#chunkSize, to - at));
      if (!this.#isZero(plain, 0, plain.length)) return at;
    }
    return undefined;
  }
}

/** Chunks from this size on are written and read back past the page cache. */
const directFrom = 256 << 10;
