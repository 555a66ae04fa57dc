/**
 * Loop devices by the file they show. A device is found by the inode and device number of its backing file, because the name
 * that the kernel reports is seen from the mount namespace it was made in: after a node's end it may read "/".
 *
 * On a raw block volume there are two of them: ours on the image file, and one of the kubelet's on top of ours (it holds the device
 * open). The upper one must go first, else the lower one stays busy for ever.
 */
import { stat } from 'node:fs/promises';
import { CommandFailed, run } from './command.ts';

export interface Loop {
  /** `/dev/loopN`. */
  device: string;
  /** `inode@major:minor` of the backing file. */
  key: string;
  /** The backing file's name as the kernel tells it; for people and as a last resort. */
  file: string;
}

/** All loop devices of the machine (they belong to no namespace). */
export async function listLoops(): Promise<Loop[]> {
  const text = await run('losetup', ['--list', '--json', '--output', 'NAME,BACK-INO,BACK-MAJ:MIN,BACK-FILE']);
  return text.trim() === '' ? [] : parseLoops(text);
}

/** `losetup --json`; util-linux writes the numbers as text or as numbers, and pads some. */
export function parseLoops(text: string): Loop[] {
  const list = JSON.parse(text) as { loopdevices?: Record<string, string | number | null>[] };
  return (list.loopdevices ?? []).map((row) => ({
    device: String(row['name']),
    key: `${String(row['back-ino']).trim()}@${String(row['back-maj:min']).replaceAll(' ', '')}`,
    file: String(row['back-file'] ?? ''),
  }));
}

/** The key under which a file's loop devices are found; undefined when the file is not there. */
export async function keyOf(file: string): Promise<string | undefined> {
  try {
    const { ino, dev } = await stat(file, { bigint: true });
    return `${ino}@${major(dev)}:${minor(dev)}`;
  } catch {
    return undefined;
  }
}

/** The device that shows this file, if there is one. */
export async function findLoop(file: string): Promise<string | undefined> {
  const key = await keyOf(file);
  if (key === undefined) return undefined;
  return (await listLoops()).find((loop) => loop.key === key)?.device;
}

/** Shows the file as a block device; one that does so already is used again. */
export async function attachLoop(file: string): Promise<string> {
  return (await findLoop(file)) ?? (await run('losetup', ['--find', '--show', '--', file])).trim();
}

/** These devices and whatever is stacked on them, the upper ones first: the order to detach. */
export async function withStacked(bottom: string[], loops: Loop[]): Promise<string[]> {
  const order: string[] = [];
  let layer = bottom;
  while (layer.length > 0) {
    order.unshift(...layer);
    const keys = new Set(await Promise.all(layer.map(keyOf)));
    layer = loops.filter((loop) => keys.has(loop.key) && !order.includes(loop.device)).map((loop) => loop.device);
  }
  return [...new Set(order)];
}

/** Takes away all devices of a file, stacked ones first. None there is fine. */
export async function detachLoopsOf(file: string): Promise<void> {
  const key = await keyOf(file);
  if (key === undefined) return;
  const loops = await listLoops();
  const own = loops.filter((loop) => loop.key === key).map((loop) => loop.device);
  for (const device of await withStacked(own, loops)) await detachLoop(device);
}

/** Takes the file off the device. While someone has it open the kernel waits for the last close; one already gone is fine. */
export async function detachLoop(device: string): Promise<void> {
  try {
    await run('losetup', ['--detach', device]);
  } catch (error) {
    if (!(error instanceof CommandFailed && /No such device/.test(error.stderr))) throw error;
  }
}

/** Makes the devices of a file that has grown as large as it, the lower ones first. */
export async function growLoopsOf(file: string): Promise<void> {
  const key = await keyOf(file);
  const loops = await listLoops();
  const own = loops.filter((loop) => loop.key === key).map((loop) => loop.device);
  for (const device of (await withStacked(own, loops)).toReversed()) await run('losetup', ['--set-capacity', device]);
}

// glibc's split of dev_t (sys/sysmacros.h).
function major(dev: bigint): bigint {
  return ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
}

function minor(dev: bigint): bigint {
  return (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
}
