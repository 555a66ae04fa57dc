/**
 * File systems in files, mounted for one test, and loop devices. Everything lies below one directory that carries the number of its process: what a killed
 * run left behind is found by it, unmounted, detached and removed by the next one.
 */
import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Referees } from './referees.ts';

export type FileSystem = 'ext4' | 'xfs' | 'btrfs';

export interface LoopVolume {
  /** Where it is mounted. */
  path: string;
  image: string;
  unmount(): void;
  mount(options?: string): void;
  /** Makes it larger; ext4 only. It is unmounted for a moment. */
  grow(bytes: number): void;
}

const stem = 'tranship-loop-';
/** Standard error goes into the error that is thrown, not into the test's output. */
const quiet: ExecFileSyncOptionsWithStringEncoding = { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' };

/** Why a file system cannot be made and mounted here; undefined when it can. XFS and btrfs need the referees' mkfs. */
export function cannotMount(kind: FileSystem, referees: Referees): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root to mount';
  if (!readFileSync('/proc/filesystems', 'utf8').split(/\s+/).includes(kind)) {
    try {
      execFileSync('modprobe', [kind], quiet);
    } catch {
      return `this kernel has no ${kind}`;
    }
  }
  return kind === 'ext4' ? undefined : referees.reason;
}

/** A place for images and mounts; `close` unmounts, detaches and removes all of it. */
export class LoopPlace {
  readonly base: string;
  readonly #referees: Referees;
  readonly #devices: string[] = [];

  constructor(referees: Referees) {
    removeLeftovers();
    this.#referees = referees;
    this.base = mkdtempSync(join(tmpdir(), `${stem}${process.pid}-`));
  }

  /** Makes a sparse image of `bytes` with an empty file system and mounts it. */
  volume(name: string, kind: FileSystem, bytes: number, ...options: string[]): LoopVolume {
    const image = this.#image(name, bytes);
    this.#referees.run(`mkfs.${kind}`, ...(kind === 'ext4' ? ['-q', '-F'] : ['-q', '-f']), ...options, image);
    const path = join(this.base, name);
    mkdirSync(path);
    const volume: LoopVolume = {
      path,
      image,
      unmount: () => void execFileSync('umount', [path], quiet),
      // The kernel lets the loop device go with the last unmount.
      mount: (mountOptions = '') => void execFileSync('mount', ['-o', `loop${mountOptions && `,${mountOptions}`}`, image, path], quiet),
      // Not while it is mounted: that asks for more rights than mounting.
      grow: (larger) => {
        volume.unmount();
        resize(image, larger);
        this.#referees.run('e2fsck', '-f', '-p', image);
        this.#referees.run('resize2fs', image);
        volume.mount();
      },
    };
    volume.mount();
    return volume;
  }

  /** A block device of `bytes`, sparse below; `image` is the file behind it. */
  device(name: string, bytes: number): { path: string; image: string } {
    const image = this.#image(name, bytes);
    const path = execFileSync('losetup', ['--find', '--show', image], quiet).trim();
    this.#devices.push(path);
    return { path, image };
  }

  close(): void {
    for (const device of this.#devices) execFileSync('losetup', ['--detach', device], quiet);
    remove(this.base);
  }

  #image(name: string, bytes: number): string {
    const image = join(this.base, `${name}.image`);
    resize(image, bytes);
    return image;
  }
}

function resize(image: string, bytes: number): void {
  const fd = openSync(image, 'a');
  ftruncateSync(fd, bytes);
  closeSync(fd);
}

function devicesOf(image: string): string[] {
  return execFileSync('losetup', ['--associated', image, '--output', 'NAME', '--noheadings'], quiet).split('\n').filter(Boolean);
}

function remove(base: string): void {
  for (const name of readdirSync(base)) {
    if (name.endsWith('.image')) continue;
    const path = join(base, name);
    if (readFileSync('/proc/mounts', 'utf8').includes(` ${path} `)) execFileSync('umount', [path], quiet);
  }
  for (const name of readdirSync(base)) {
    if (!name.endsWith('.image')) continue;
    for (const device of devicesOf(join(base, name))) execFileSync('losetup', ['--detach', device], quiet);
  }
  rmSync(base, { recursive: true });
}

/** Ends what processes that are no more have left mounted. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${stem}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) remove(join(tmpdir(), name));
  }
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch {
    return false;
  }
}
