/** Mounts of our mount namespace: who is mounted where, bind mounts made and undone. */
import { readFile } from 'node:fs/promises';
import { run } from './command.ts';

/** One line of /proc/self/mountinfo. */
export interface Mount {
  /** Device of the file system, `major:minor`. */
  device: string;
  /** The directory or file of that file system which is seen at `mountPoint`. */
  root: string;
  mountPoint: string;
  /** Per-mount options; `ro` here is the read-only bind. */
  options: string[];
  type: string;
}

/** All mounts, in the order they were made: for one mount point the last one is on top. */
export async function readMounts(): Promise<Mount[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** See proc_pid_mountinfo(5): the number of optional fields before ` - ` varies. */
export function parseMountInfo(text: string): Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ');
      const [, , device = '', root = '', mountPoint = '', options = ''] = fields;
      const type = fields[fields.indexOf('-') + 1] ?? '';
      return { device, root: unescape(root), mountPoint: unescape(mountPoint), options: options.split(','), type };
    });
}

/** What is on top at exactly this path. */
export function mountAt(mounts: Mount[], path: string): Mount | undefined {
  return mounts.findLast((mount) => mount.mountPoint === path);
}

/**
 * The file system and the place in it that a path leads to: what a bind mount of it shows as device and root.
 * The path must not go through a symbolic link.
 */
export function originOf(mounts: Mount[], path: string): { device: string; root: string } | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (covers(mount.mountPoint, path) && mount.mountPoint.length >= (best?.mountPoint.length ?? 0)) best = mount;
  }
  if (best === undefined) return undefined;
  const rest = path.slice(best.mountPoint === '/' ? 0 : best.mountPoint.length);
  const root = `${best.root === '/' ? '' : best.root}${rest}`;
  return { device: best.device, root: root === '' ? '/' : root };
}

/** The places below `under` where `source` is bind-mounted. */
export function bindsOf(mounts: Mount[], source: string, under: string): Mount[] {
  const origin = originOf(mounts, source);
  return mounts.filter(
    (mount) =>
      mount.device === origin?.device && mount.root === origin.root && mount.mountPoint !== source && covers(under, mount.mountPoint),
  );
}

/** Is `path` the directory itself or below it? Both absolute and normal. */
export function covers(directory: string, path: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

/** Bind-mounts with options (`ro`, `noatime` ...), which a bind takes only by a second mount call. All or nothing. */
export async function bindMount(source: string, target: string, options: string[]): Promise<void> {
  await run('mount', ['--bind', '--', source, target]);
  if (options.length === 0) return;
  try {
    await run('mount', ['-o', ['remount', 'bind', ...options].join(','), '--', target]);
  } catch (error) {
    await run('umount', ['--', target]);
    throw error;
  }
}

/** Takes away everything that is mounted at the path, layer by layer. Nothing mounted is fine. */
export async function unmountAll(target: string): Promise<void> {
  for (const mount of await readMounts()) if (mount.mountPoint === target) await run('umount', ['--', target]);
}

/** The kernel writes blank, tab, newline and backslash as octal. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes = Buffer.from(text).toString('latin1');
  return Buffer.from(
    bytes.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    'latin1',
  ).toString();
}
