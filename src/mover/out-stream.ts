import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { hash } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import { KnownChunks, parseKey, type PlacedChunk, volumeStore } from '../archive/index.ts';
import { openLocation, type RelayTransport } from '../location/index.ts';
import { sameAsEarlier } from './earlier.ts';
import { Meter } from './meter.ts';
import { type Piece, readPieces } from './pieces.ts';
import { reasonOf } from './problems.ts';
import type { StreamSetup } from './pool.ts';
import type { CopyOutJob } from './protocol.ts';
import { errnoOf, nextData } from './sys.ts';
import { Throttle } from './throttle.ts';
import { isGone, Tree } from './tree.ts';

/** A file, or a range of one, to read. Chunk numbers from `from` to below `to`. */
export interface ReadItem {
  path: string;
  size: number;
  from: number;
  to: number;
  /** mtime in nanoseconds, to notice a file that changes under the read. */
  mtime: bigint;
  /** What the parent round has in this range. */
  earlier?: PlacedChunk[];
  /** Inode at the walk, to notice another file under the same name. */
  inode?: string | undefined;
}

export interface ReadResult {
  chunks: PlacedChunk[];
  /** Plain bytes of chunks that were not stored before. */
  changed: number;
  outcome?: 'gone' | 'changed';
  problem?: string;
}

export type OutTask = { items: ReadItem[] } | { finish: true };

/** Content up to this size is read at once, without asking for holes, through the page cache. */
const smallest = 64 << 10;

/** With more streams than this each holds one pack only: 16 MiB less per stream, and others work while one waits for the store. */
const mostOverlapping = 2;

/** One stream of a copy-out: reads chunks, hashes, stores what is not known. */
export function startOutStream(setup: StreamSetup, job: CopyOutJob): (relay: RelayTransport) => (task: unknown) => Promise<unknown> {
  return (relay) => {
    const meter = new Meter(setup.meter);
    const throttle = new Throttle(job.bytesPerSecondPerStream);
    const location = openLocation(job.archive.location, { relay, connections: 4 });
    const store = volumeStore(location, job.archive.lineage, parseKey(job.archive.key), job.volume);
    const known = setup.known === undefined ? undefined : KnownChunks.from(setup.known);
    const writer = store.packWriter(job.round, {
      overlap: job.streams <= mostOverlapping,
      target: throttle.grain,
      throttle: async (bytes) => {
        await throttle.take(bytes);
        meter.add('bytesTransferred', bytes);
      },
    });
    const buffer = Buffer.allocUnsafeSlow(smallest);
    const zeros = Buffer.alloc(setup.chunkSize);
    const tree = job.source.mode === 'Filesystem' ? new Tree(job.source.path) : undefined;
    let sinceBreath = 0;

    async function readItem(item: ReadItem): Promise<ReadResult> {
      const result: ReadResult = { chunks: [], changed: 0 };
      let fd: number;
      try {
        fd = tree === undefined ? openSync(job.source.path, constants.O_RDONLY) : tree.openToRead(item.path);
      } catch (error) {
        return isGone(error) ? { ...result, outcome: 'gone' } : { ...result, problem: reasonOf(error) };
      }
      try {
        // Nothing but files is ever read: a device that took the name would give content that nobody wrote, or block.
        if (tree !== undefined && !fstatSync(fd).isFile()) return { ...result, outcome: 'gone' };
        await readRange(fd, item, result);
        if (tree !== undefined) {
          const after = fstatSync(fd, { bigint: true });
          const other = item.inode !== undefined && String(after.ino) !== item.inode;
          if (other || after.mtimeNs !== item.mtime || Number(after.size) !== item.size) result.outcome = 'changed';
        }
      } finally {
        closeSync(fd);
      }
      return result;
    }

    async function readRange(fd: number, item: ReadItem, result: ReadResult): Promise<void> {
      const end = Math.min(item.size, item.to * setup.chunkSize);
      if (end - item.from * setup.chunkSize <= smallest) return await readSmall(fd, item, result, end);
      try {
        for await (const { number, length, bytes } of readPieces(fd, dataPieces(fd, item, end), 'cache-first')) {
          let plain = bytes;
          if (bytes.length < length) {
            plain = Buffer.concat([bytes], length); // truncated under the read
            result.outcome = 'changed';
          }
          await takeChunk(item, number, plain, result);
        }
      } catch (error) {
        if (errnoOf(error) === '') throw error;
        result.problem = reasonOf(error);
      }
    }

    /** The chunks that may hold data. Devices have no holes to ask for. */
    function* dataPieces(fd: number, item: ReadItem, end: number): Generator<Piece & { number: number }> {
      let data: { start: number; end: number } | undefined = { start: 0, end: 0 };
      for (let number = item.from; number < item.to; number++) {
        const start = number * setup.chunkSize;
        const length = Math.min(setup.chunkSize, end - start);
        if (tree !== undefined && data !== undefined && data.end <= start) data = nextData(fd, start, item.size);
        if (data === undefined || (data.end > start && data.start >= start + length)) meter.add('bytesDone', length);
        else yield { number, start, length };
      }
    }

    async function readSmall(fd: number, item: ReadItem, result: ReadResult, end: number): Promise<void> {
      const start = item.from * setup.chunkSize;
      const length = end - start;
      let filled = 0;
      try {
        while (filled < length) {
          const count = readSync(fd, buffer, filled, length - filled, start + filled);
          if (count === 0) break;
          filled += count;
        }
      } catch (error) {
        result.problem = reasonOf(error);
        return;
      }
      if (filled < length) {
        buffer.fill(0, filled, length); // truncated under the read
        result.outcome = 'changed';
      }
      await takeChunk(item, item.from, buffer.subarray(0, length), result);
    }

    async function takeChunk(item: ReadItem, number: number, plain: Buffer, result: ReadResult): Promise<void> {
      meter.add('bytesDone', plain.length);
      if (!plain.equals(zeros.subarray(0, plain.length))) await storeChunk(item, number, plain, result);
    }

    async function storeChunk(item: ReadItem, number: number, plain: Buffer, result: ReadResult): Promise<void> {
      const digest = hash('sha256', plain, 'base64');
      let ref = sameAsEarlier(item.earlier, number, digest, plain.length) ?? known?.find(digest, plain.length);
      if (ref === undefined) {
        ref = await writer.append(plain, digest);
        result.changed += plain.length;
      }
      result.chunks.push([number, ref]);
      // Uploads run on this thread's event loop: it must turn now and then.
      sinceBreath += plain.length;
      if (sinceBreath >= 2 << 20) {
        sinceBreath = 0;
        await breathe();
      }
    }

    // The pack writer and the buffer belong to one task at a time.
    let line: Promise<unknown> = Promise.resolve();
    return (task) => {
      const work = async (): Promise<unknown> => {
        const wanted = task as OutTask;
        if ('finish' in wanted) {
          await writer.finish();
          tree?.close();
          await location.close();
          return writer.bytesStored;
        }
        const results: ReadResult[] = [];
        for (const item of wanted.items) results.push(await readItem(item));
        return results;
      };
      const mine = line.then(work);
      line = mine.catch(() => {});
      return mine;
    };
  };
}
