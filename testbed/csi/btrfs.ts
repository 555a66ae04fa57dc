/**
 * Volumes as subvolumes of one btrfs that lives in a sparse loop file: snapshots are atomic, instant and share their blocks. A quota
 * group per volume enforces the size, so a full volume answers EDQUOT.
 */
import { mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { CommandFailed, run } from './command.ts';
import type { Medium } from './medium.ts';
import { mib } from './medium.ts';
import { mountAt, readMounts } from './mounts.ts';

/** Makes the pool when it is new, and mounts it in our mount namespace. The loop device goes with the last unmount. */
export async function openPool(image: string, mountPoint: string, bytes: number): Promise<void> {
  await mkdir(mountPoint, { recursive: true });
  if (mountAt(await readMounts(), mountPoint)?.type === 'btrfs') return;
  await makePool(image, bytes);
  await run('mount', ['-t', 'btrfs', '-o', 'loop,noatime', '--', image, mountPoint]);
  await run('btrfs', ['quota', 'enable', mountPoint]);
}

async function makePool(image: string, bytes: number): Promise<void> {
  try {
    await writeFile(`${image}.new`, '', { flag: 'w' });
    await truncate(`${image}.new`, bytes);
    await run('mkfs.btrfs', ['--quiet', '--force', '--metadata', 'single', `${image}.new`]);
    await rename(`${image}.new`, image);
  } finally {
    await rm(`${image}.new`, { force: true });
  }
}

export const btrfs: Medium = {
  extension: '',
  leastBytes: mib,
  growsMounted: false,

  async create(place, bytes) {
    await run('btrfs', ['subvolume', 'create', place]);
    await limit(place, bytes);
  },
  async copy(from, to, { snapshot, bytes }) {
    await run('btrfs', ['subvolume', 'snapshot', ...(snapshot ? ['-r'] : []), from, to]);
    if (!snapshot) await limit(to, bytes);
  },
  async remove(place) {
    try {
      await run('btrfs', ['subvolume', 'delete', place]);
    } catch (error) {
      if (!(error instanceof CommandFailed && /No such file or directory/.test(error.stderr))) throw error;
    }
  },
  async resize(place, bytes) {
    await limit(place, bytes);
  },
  async growMounted() {},
  async attach(place) {
    return place;
  },
  async attached(place) {
    return place;
  },
  async release() {},
  async usage(place) {
    return parseQuota(await run('btrfs', ['qgroup', 'show', '-f', '-r', '--raw', place]));
  },
};

/** The limit counts what the volume refers to, shared with snapshots or not: what users mean by a volume's size. */
async function limit(place: string, bytes: number): Promise<void> {
  await run('btrfs', ['qgroup', 'limit', String(bytes), place]);
}

/** `btrfs qgroup show -f -r --raw`: a row `0/257 rfer excl max_rfer`. */
export function parseQuota(text: string): { total: number; used: number; available: number } | undefined {
  const row = /^0\/\d+\s+(\d+)\s+\d+\s+(\d+)/m.exec(text);
  if (row === null) return undefined;
  const used = Number(row[1]);
  const total = Number(row[2]);
  return { total, used, available: Math.max(0, total - used) };
}
