import { constants } from 'node:fs';

/**
 * Large buffers for data that passes through. A buffer left to the garbage collector costs a page fault per 4 KiB when the next one is made, and the
 * heap lets tens of MiB of them pile up in every thread: measured, both cost more than encryption does.
 */

/** Position, length and address of direct I/O are multiples of this; devices with larger sectors refuse, and buffered I/O is used. */
export const directBlock = 4096;
/** O_DIRECT: past the page cache. 0 where the system has none. */
export const directFlag = (constants as { O_DIRECT?: number }).O_DIRECT ?? 0;

const step = 1 << 20;
/** Bytes of free buffers that a thread keeps. */
const mostKept = 8 << 20;

const free = new Map<number, ArrayBuffer[]>();
let kept = 0;
const lent = new WeakSet<ArrayBufferLike>();

/** A page-aligned buffer with any content. A resizable ArrayBuffer is what JavaScript can get pages with: others start 16 bytes into a page. */
export function alignedBuffer(length: number): Buffer {
  const size = Math.ceil(length / step) * step;
  let memory = free.get(size)?.pop();
  if (memory === undefined) memory = new ArrayBuffer(size, { maxByteLength: size });
  else kept -= size;
  lent.add(memory);
  return Buffer.from(memory, 0, length);
}

/**
 * Frees the memory behind a buffer that nobody uses any more, now. Aligned buffers are used again. Parts of memory that others may hold a part of, too, are left
 * to the garbage collector, so it is never wrong to call this with the only reference to bytes that came from a store or from node:crypto.
 * @param alone nobody holds another part of the memory either: true for what node:zlib returned
 */
export function giveBack(bytes: Uint8Array, alone = false): void {
  const memory = bytes.buffer;
  if (!(memory instanceof ArrayBuffer)) return;
  if (lent.delete(memory)) {
    const size = memory.byteLength;
    if (kept + size <= mostKept) {
      kept += size;
      const others = free.get(size);
      if (others === undefined) free.set(size, [memory]);
      else others.push(memory);
    } else memory.transferToFixedLength(0);
  } else if ((bytes.byteOffset === 0 && bytes.length === memory.byteLength) || (alone && memory.byteLength > pooled)) memory.transfer(0);
}

/** Memory up to this size may be Node's own pool, which many buffers share. */
const pooled = Math.max(Buffer.poolSize, 128 << 10);
