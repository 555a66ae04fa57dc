/** What outlives a node's namespaces: its loop devices. Everything else (mounts, processes) dies with them. */
import { mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './command.ts';
import { thaw } from './ext4.ts';
import type { Loop } from './loop.ts';
import { detachLoop, keyOf, listLoops, withStacked } from './loop.ts';
import { covers } from './mounts.ts';

export interface Detached {
  /** Devices that are free again. */
  detached: string[];
  /** Devices that someone still holds open; empty when all is well. */
  busy: string[];
}

/**
 * Frees all loop devices of the drivers with this state directory, those of the kubelet on top of them first. Called from the host after
 * the node's processes have ended (also by SIGKILL) and before the state directory is removed. Nothing to do is fine. As root, with
 * losetup in PATH.
 * @param patience milliseconds to wait for the kernel to let go; it does so when the node's last mount is gone.
 */
export async function detachAll(stateDir: string, patience = 5000): Promise<Detached> {
  const files = await imageFiles(stateDir);
  const first = await belongingTo(stateDir, files);
  const until = Date.now() + patience;
  for (let left = first; ; left = await belongingTo(stateDir, files, first)) {
    for (const device of left) await detachLoop(device);
    const now = new Set(await belongingTo(stateDir, files, first));
    const busy = first.filter((device) => now.has(device));
    if (busy.length === 0 || Date.now() > until) return { detached: first.filter((device) => !now.has(device)), busy };
    for (const device of busy)
      await thawHidden(
        device,
        (await listLoops()).find((loop) => loop.device === device),
      );
    await delay(50);
  }
}

/**
 * By inode for files that we can see. Images inside a btrfs pool lie in a file system that was mounted only in the node: those are known by
 * the identifier in their name, which is unique. `among` limits the search to devices found before, whose image may have become hidden.
 */
async function belongingTo(stateDir: string, files: string[], among?: string[]): Promise<string[]> {
  const loops = await listLoops();
  const keys = new Set(await Promise.all(files.map(keyOf)));
  const ids = await recordIds(stateDir);
  const own = loops.filter((loop) => keys.has(loop.key) || covers(stateDir, loop.file) || ids.has(path.parse(nameOf(loop)).name));
  const all = await withStacked(
    own.map((loop) => loop.device),
    loops,
  );
  return among === undefined ? all : all.filter((device) => among.includes(device));
}

function nameOf(loop: Loop): string {
  return path.basename(loop.file.replace(/ \(deleted\)$/, ''));
}

/** A file system that was frozen for a snapshot when its driver was killed stays alive without any mount, and so does its device. */
async function thawHidden(device: string, loop: Loop | undefined): Promise<void> {
  if (loop === undefined || path.extname(nameOf(loop)) !== '.ext4') return;
  const mountPoint = await mkdtemp(path.join(tmpdir(), 'thaw-'));
  try {
    await run('mount', ['-t', 'ext4', '--', device, mountPoint]);
    await thaw(mountPoint);
    await run('umount', ['--', mountPoint]);
  } catch {
    // It was not that; the device is reported as busy.
  } finally {
    await rmdir(mountPoint);
  }
}

async function imageFiles(stateDir: string): Promise<string[]> {
  const files: string[] = [];
  for (const driver of await entries(stateDir)) {
    files.push(path.join(stateDir, driver, 'pool.img'));
    for (const kind of ['volumes', 'snapshots']) {
      const directory = path.join(stateDir, driver, 'data', kind);
      files.push(...(await entries(directory)).filter((name) => /\.(block|ext4)$/.test(name)).map((name) => path.join(directory, name)));
    }
  }
  return files;
}

async function recordIds(stateDir: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const driver of await entries(stateDir)) {
    for (const kind of ['volumes', 'snapshots']) {
      for (const name of await entries(path.join(stateDir, driver, kind))) ids.add(path.parse(name).name);
    }
  }
  return ids;
}

async function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
