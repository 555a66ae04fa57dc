import { chmodSync, fchmodSync, fchownSync, lchownSync, readlinkSync, type BigIntStats } from 'node:fs';
import type { Entry, EntryType } from '../archive/index.ts';
import { listXattrs, mayHaveXattrs, removeXattr, setTimes, setTimesOf, setXattr, splitDevice } from './sys.ts';
import type { Tree } from './tree.ts';

/** The type of what was found; sockets have none: they live in a running process only. */
export function typeOf(stat: BigIntStats): EntryType | 'socket' {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isCharacterDevice()) return 'character';
  return stat.isBlockDevice() ? 'block' : 'socket';
}

export function timeOf(nanoseconds: bigint): [number, number] {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return [Number((nanoseconds - rest) / 1_000_000_000n), Number(rest)];
}

/** SELinux labels belong to a cluster: its kubelet labels volumes when it mounts them. */
const label = 'security.selinux';
/** How XFS keeps ACLs, shown to root beside the ACLs themselves: other file systems would take them for something of the user's. */
const shownTwice = new Set(['trusted.SGI_ACL_FILE', 'trusted.SGI_ACL_DEFAULT']);

/** Everything of a path but its content. Reads the link text and the extended attributes. `labelled` hears of a SELinux label that is left behind. */
export function describe(tree: Tree, path: string, stat: BigIntStats, type: EntryType, labelled?: () => void): Entry {
  const entry: Entry = {
    path,
    type,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: timeOf(stat.mtimeNs),
  };
  if (type === 'file') {
    entry.size = Number(stat.size);
    if (stat.blocks * 512n < stat.size) entry.sparse = true;
  } else if (type === 'symlink') entry.link = readlinkSync(tree.bytes(path), { encoding: 'latin1' });
  else if (type === 'character' || type === 'block') entry.rdev = splitDevice(stat.rdev);
  const xattrs = carriedXattrs(tree.at(path), labelled);
  if (xattrs.length > 0) entry.xattrs = xattrs;
  return entry;
}

function carriedXattrs(path: string, labelled?: () => void): [string, string][] {
  const found: [string, string][] = [];
  for (const [name, value] of listXattrs(path)) {
    if (name === label) labelled?.();
    else if (!shownTwice.has(name)) found.push([name, value.toString('base64')]);
  }
  return found;
}

/**
 * Gives a path the attributes of its entry. The order matters: chown clears setuid and capabilities, and every change moves ctime only
 * after the times are set.
 */
export function applyAttributes(tree: Tree, entry: Entry): void {
  const path = tree.at(entry.path);
  const bytes = Buffer.from(path, 'latin1');
  lchownSync(bytes, entry.uid ?? 0, entry.gid ?? 0);
  const wanted = entry.xattrs ?? [];
  const there = carriedXattrs(path);
  for (const [name] of there) if (!wanted.some(([other]) => other === name)) removeXattr(path, name);
  for (const [name, value] of wanted) {
    if (!there.some(([other, held]) => other === name && held === value) || name === 'security.capability')
      setXattr(path, name, Buffer.from(value, 'base64'));
  }
  if (entry.type !== 'symlink') chmodSync(bytes, entry.mode ?? 0);
  if (entry.mtime !== undefined) setTimes(path, entry.mtime);
}

/**
 * As `applyAttributes`, for a file that was just made and is still open: no path is looked up, which counts for small files. False when extended attributes are
 * in it, or a default ACL of its directory gave it some: then nothing was done.
 */
export function applyToNewFile(fd: number, entry: Entry): boolean {
  if (entry.xattrs !== undefined || mayHaveXattrs(fd)) return false;
  fchownSync(fd, entry.uid ?? 0, entry.gid ?? 0);
  fchmodSync(fd, entry.mode ?? 0);
  if (entry.mtime !== undefined) setTimesOf(fd, entry.mtime);
  return true;
}

/** What differs between an entry and the path on the target, in words; empty when nothing does. Content is not looked at. */
export function compareAttributes(tree: Tree, entry: Entry, stat: BigIntStats): string[] {
  const type = typeOf(stat);
  if (type !== entry.type) return [`is a ${type}, not a ${entry.type}`];
  const found = describe(tree, entry.path, stat, entry.type);
  const differences: string[] = [];
  // The mode of a symlink has no meaning on Linux.
  if (entry.type !== 'symlink' && found.mode !== entry.mode) differences.push(`mode ${octal(found.mode)}, not ${octal(entry.mode)}`);
  if (found.uid !== entry.uid || found.gid !== entry.gid)
    differences.push(`owner ${found.uid}:${found.gid}, not ${entry.uid}:${entry.gid}`);
  if (String(found.mtime) !== String(entry.mtime)) differences.push('modification time');
  if (found.size !== entry.size) differences.push(`${found.size} bytes, not ${entry.size}`);
  if (found.link !== entry.link) differences.push('link text');
  if (String(found.rdev) !== String(entry.rdev)) differences.push('device number');
  if (JSON.stringify(found.xattrs) !== JSON.stringify(entry.xattrs)) differences.push('extended attributes');
  return differences;
}

function octal(mode: number | undefined): string {
  return (mode ?? 0).toString(8).padStart(4, '0');
}
