/** Raw block volumes: a sparse file shown as a loop device. The same for every kind of driver. */
import { open, rm, truncate } from 'node:fs/promises';
import { run } from './command.ts';
import { attachLoop, detachLoopsOf, findLoop, growLoopsOf, keyOf, listLoops, withStacked } from './loop.ts';
import type { Medium } from './medium.ts';
import { mib } from './medium.ts';

export const block: Medium = {
  extension: '.block',
  leastBytes: mib,
  growsMounted: false,

  async create(place, bytes) {
    await makeSparse(place, bytes);
  },
  async copy(from, to, { bytes }) {
    await flushDevicesOf(from);
    await copySparse(from, to);
    await truncate(to, bytes);
  },
  async remove(place) {
    await detachLoopsOf(place);
    await rm(place, { force: true });
  },
  async resize(place, bytes) {
    await truncate(place, bytes);
    await growLoopsOf(place);
  },
  async growMounted() {},
  async attach(place) {
    return attachLoop(place);
  },
  async attached(place) {
    return findLoop(place);
  },
  async release(place) {
    await detachLoopsOf(place);
  },
  async usage() {
    return undefined;
  },
};

/** An empty file of that size without blocks. Fails when there is one. */
export async function makeSparse(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.truncate(bytes);
  } finally {
    await handle.close();
  }
}

/** Shares the blocks where the file system can (then it is atomic), else copies and leaves holes where zeroes are. */
export async function copySparse(from: string, to: string): Promise<void> {
  await run('cp', ['--reflink=auto', '--sparse=always', '--preserve=mode', '--', from, to]);
}

/** What programs wrote to the devices waits in their page caches: the uppermost is flushed first, through to the file. */
async function flushDevicesOf(file: string): Promise<void> {
  const key = await keyOf(file);
  const loops = await listLoops();
  const own = loops.filter((loop) => loop.key === key).map((loop) => loop.device);
  for (const device of await withStacked(own, loops)) await run('blockdev', ['--flushbufs', device]);
}
