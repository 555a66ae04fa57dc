/**
 * Volumes as ext4 images, one sparse file each, mounted while a pod uses them: a file system of its own, with its own ENOSPC and its own
 * `lost+found`. Snapshots are atomic: the file system is frozen while its image is copied.
 */
import { mkdir, rm, rmdir, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { copySparse, makeSparse } from './block.ts';
import { CommandFailed, run } from './command.ts';
import { attachLoop, detachLoopsOf, findLoop, growLoopsOf } from './loop.ts';
import type { Medium } from './medium.ts';
import { mib } from './medium.ts';
import { covers, mountAt, readMounts, unmountAll } from './mounts.ts';
import { CsiError } from './status.ts';

export const ext4: Medium = {
  extension: '.ext4',
  leastBytes: 16 * mib,
  growsMounted: true,

  async create(place, bytes) {
    await makeSparse(place, bytes);
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', '--', place]);
  },
  async copy(from, to, { bytes }) {
    const mounted = await mountedAt(from);
    if (mounted === undefined) await copySparse(from, to);
    else await frozen(mounted, () => copySparse(from, to));
    await truncate(to, bytes);
  },
  async remove(place) {
    await ext4.release(place);
    await rm(place, { force: true });
  },
  async resize(place, bytes) {
    await truncate(place, bytes);
    await growLoopsOf(place);
  },
  async growMounted(place) {
    const device = await findLoop(place);
    if (device === undefined || (await mountedAt(place)) === undefined) return;
    try {
      await run('resize2fs', [device]);
    } catch (error) {
      if (!(error instanceof CommandFailed && /Permission denied/.test(error.stderr))) throw error;
      throw new CsiError('FAILED_PRECONDITION', 'Growing a mounted ext4 needs CAP_SYS_RESOURCE; it grows when it is next mounted.', error);
    }
  },
  async attach(place) {
    const known = await mountedAt(place);
    if (known !== undefined) return known;
    const mountPoint = innerMountPoint(place);
    await mkdir(mountPoint, { recursive: true });
    await growUnmounted(place);
    await run('mount', ['-t', 'ext4', '--', await attachLoop(place), mountPoint]);
    return mountPoint;
  },
  async attached(place) {
    return mountedAt(place);
  },
  async release(place) {
    const mountPoint = innerMountPoint(place);
    await unmountAll(mountPoint);
    await detachLoopsOf(place);
    await rmdir(mountPoint).catch(() => undefined);
  },
  async usage() {
    return undefined;
  },
};

/** A driver killed in the middle of a snapshot leaves the file system frozen, and every writer stuck. */
export async function thawAll(root: string): Promise<void> {
  const inner = path.join(root, 'mounts');
  for (const mount of await readMounts()) {
    if (mount.type === 'ext4' && mount.mountPoint !== inner && covers(inner, mount.mountPoint)) await thaw(mount.mountPoint);
  }
}

/** Lets writers go on. A file system that is not frozen answers EINVAL, which is fine. */
export async function thaw(mountPoint: string): Promise<void> {
  try {
    await run('fsfreeze', ['--unfreeze', mountPoint]);
  } catch (error) {
    if (!(error instanceof CommandFailed && /Invalid argument/.test(error.stderr))) throw error;
  }
}

async function frozen(mountPoint: string, work: () => Promise<void>): Promise<void> {
  await run('fsfreeze', ['--freeze', mountPoint]);
  try {
    await work();
  } finally {
    await thaw(mountPoint);
  }
}

/** For a volume restored larger than its source, or grown while nobody used it. */
async function growUnmounted(place: string): Promise<void> {
  const header = await run('dumpe2fs', ['-h', place]);
  const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(header)?.[1]);
  const [blocks, size] = [figure('Block count'), figure('Block size')];
  if ((await stat(place)).size < (blocks + 1) * size) return;
  try {
    await run('e2fsck', ['-f', '-p', place]);
  } catch (error) {
    if (!(error instanceof CommandFailed && error.exitCode === 1)) throw error; // 1: something was put right
  }
  await run('resize2fs', [place]);
}

function innerMountPoint(place: string): string {
  return path.join(path.dirname(path.dirname(place)), 'mounts', path.basename(place, ext4.extension));
}

async function mountedAt(place: string): Promise<string | undefined> {
  const mountPoint = innerMountPoint(place);
  return mountAt(await readMounts(), mountPoint) === undefined ? undefined : mountPoint;
}
