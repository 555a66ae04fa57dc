import type { ChunkRef, VolumeStore } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import { alignedBuffer, giveBack } from '../location/index.ts';
import type { Throttle } from './throttle.ts';

/** One request may span small gaps between chunks, and fetches at most this much. */
const largestGap = 32 << 10;
const largestFetch = 8 << 20;

/** Fetches chunks with as few requests as their places allow. */
export async function fetchChunks(
  store: Pick<VolumeStore, 'readStored'>,
  refs: ChunkRef[],
  throttle: Throttle,
  fetched: (bytes: number) => void,
): Promise<{ get: (ref: ChunkRef) => Buffer; release: () => void }> {
  const sorted = refs.toSorted((a, b) => (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : a[2] - b[2]));
  const spans: { pack: string; start: number; end: number; bytes?: Buffer }[] = [];
  for (const [, pack, offset, stored] of sorted) {
    const last = spans.at(-1);
    if (last !== undefined && last.pack === pack && offset <= last.end + largestGap && offset + stored - last.start <= largestFetch)
      last.end = Math.max(last.end, offset + stored);
    else spans.push({ pack, start: offset, end: offset + stored });
  }
  await Promise.all(
    spans.map(async (span) => {
      span.bytes = await readSpan(store, span, throttle);
      fetched(span.end - span.start);
    }),
  );
  const byPack = new Map<string, typeof spans>();
  for (const span of spans) byPack.set(span.pack, [...(byPack.get(span.pack) ?? []), span]);
  return {
    get([, pack, offset, stored]) {
      const span = byPack.get(pack)?.find(({ start, end }) => start <= offset && offset + stored <= end);
      if (span?.bytes === undefined) throw new TranshipError('Internal', 'A chunk was not fetched.');
      return span.bytes.subarray(offset - span.start, offset - span.start + stored);
    },
    release() {
      for (const { bytes } of spans) if (bytes !== undefined) giveBack(bytes);
    },
  };
}

/** With a bandwidth limit, in slices that are small beside it. */
async function readSpan(
  store: Pick<VolumeStore, 'readStored'>,
  { pack, start, end }: { pack: string; start: number; end: number },
  throttle: Throttle,
): Promise<Buffer> {
  const { grain } = throttle;
  if (grain === undefined) return await store.readStored(pack, start, end - start);
  const bytes = alignedBuffer(end - start);
  for (let at = start; at < end; at += grain) {
    const length = Math.min(grain, end - at);
    await throttle.take(length);
    const slice = await store.readStored(pack, at, length);
    slice.copy(bytes, at - start);
    giveBack(slice);
  }
  return bytes;
}
