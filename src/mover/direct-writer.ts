import { write as writeCallback, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { alignedBuffer, directBlock, giveBack } from '../location/index.ts';
import { errnoOf } from './sys.ts';

const write = promisify(writeCallback);
/** Writes on their way per stream; each holds one chunk. */
const mostWrites = 3;

/**
 * Writes chunks past the page cache while the stream prepares the next ones. A page cache filled by a restore costs more than the disk, and pushes out what
 * the node needs. Nothing is durable before the file system is synced: as with buffered writes.
 */
export class DirectWriter {
  #running = 0;
  #waiting: (() => void)[] = [];

  /**
   * Takes a chunk over and returns as soon as its bytes may be reused; the promise inside ends when they are written.
   * @param direct the file opened for direct I/O; @param fd the same file, for the end that is no full block and for file systems that refuse after all
   */
  async begin(direct: number, fd: number, plain: Buffer, position: number): Promise<{ written: Promise<void> }> {
    while (this.#running >= mostWrites) await new Promise<void>((free) => this.#waiting.push(free));
    this.#running++;
    const buffer = alignedBuffer(plain.length);
    plain.copy(buffer);
    const written = this.#write(direct, fd, buffer, position).finally(() => {
      giveBack(buffer);
      this.#running--;
      this.#waiting.shift()?.();
    });
    written.catch(() => {}); // thrown when it is awaited
    return { written };
  }

  async #write(direct: number, fd: number, buffer: Buffer, position: number): Promise<void> {
    const whole = buffer.length - (buffer.length % directBlock);
    let at = 0;
    try {
      while (at < whole) at += (await write(direct, buffer, at, whole - at, position + at)).bytesWritten;
    } catch (error) {
      if (errnoOf(error) !== 'EINVAL') throw error;
    }
    writeFully(fd, buffer.subarray(at), position + at);
  }
}

export function writeFully(fd: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
