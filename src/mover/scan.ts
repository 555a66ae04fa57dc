import { type BigIntStats, readFileSync } from 'node:fs';
import { type Entry, parentOf } from '../archive/index.ts';
import { describe, typeOf } from './attributes.ts';
import { isGone, type Tree } from './tree.ts';

export interface Found {
  path: string;
  stat: BigIntStats;
}

/**
 * Walks a volume in manifest order: a directory's children sorted, then each child directory. `skipped` hears of paths that could not be read.
 * One directory's names are in memory at a time, and the directories still to visit.
 */
export async function* walk(tree: Tree, skipped: (path: string, error: unknown) => void): AsyncGenerator<Found> {
  yield { path: '', stat: tree.stat('') };
  const pending = [''];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const below: string[] = [];
    let children: ReturnType<Tree['list']>;
    try {
      children = tree.list(directory);
    } catch (error) {
      skipped(directory, error);
      continue;
    }
    for (const child of children) {
      const path = directory === '' ? child.name : `${directory}/${child.name}`;
      let stat: BigIntStats;
      try {
        stat = tree.stat(path);
      } catch (error) {
        skipped(path, error);
        continue;
      }
      if (stat.isDirectory()) below.push(path);
      yield { path, stat };
    }
    for (let last = below.pop(); last !== undefined; last = below.pop()) pending.push(last);
  }
}

/** What a found path becomes in the manifest; content comes later. `socket` stays behind. */
export function entryOf(tree: Tree, found: Found, labelled?: () => void): Entry | 'socket' {
  const type = typeOf(found.stat);
  if (type === 'socket') return 'socket';
  const entry = describe(tree, found.path, found.stat, type, labelled);
  if (type === 'file') {
    const ctime = found.stat.ctimeNs;
    entry.seen = [String(found.stat.ino), Number(ctime / 1_000_000_000n), Number(ctime % 1_000_000_000n)];
  }
  return entry;
}

/**
 * True when a file need not be read: size, mtime, inode and ctime are those of the earlier round, and ctime is old enough that a change in the same
 * tick of the clock is ruled out. When in doubt: false, and the content is hashed.
 */
export function isUnchanged(now: Entry, before: Entry | undefined, trustBefore: number | undefined): boolean {
  if (before === undefined || trustBefore === undefined || before.type !== 'file' || now.seen === undefined || before.seen === undefined)
    return false;
  return (
    now.size === before.size &&
    String(now.mtime) === String(before.mtime) &&
    String(now.seen) === String(before.seen) &&
    now.seen[1] < trustBefore &&
    (now.mtime?.[0] ?? 0) < trustBefore
  );
}

/** True when the walk may ignore this error: the path, or the directory it is in, was removed meanwhile. */
export function vanished(path: string, error: unknown): boolean {
  return parentOf(path) !== path && isGone(error);
}

/** Linux hides `trusted.*` attributes from processes without CAP_SYS_ADMIN (bit 21): they are not even listed. */
export function seesTrustedAttributes(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 21n) & 1n) === 1n;
}

/** First names of files with several names; forgotten when all names were seen. */
export class LinkedFiles {
  readonly #names = new Map<string, { path: string; left: bigint }>();

  /** The first name of this file, or undefined when this is it. */
  first({ dev, ino, nlink }: { dev: bigint; ino: bigint; nlink: bigint }, path: string): string | undefined {
    const inode = `${dev}:${ino}`;
    const found = this.#names.get(inode);
    if (found === undefined) {
      this.#names.set(inode, { path, left: nlink - 1n });
      return undefined;
    }
    found.left--;
    if (found.left === 0n) this.#names.delete(inode);
    return found.path;
  }

  /** The first name is no more: the next one that is found takes its place. */
  forget(path: string): void {
    for (const [inode, found] of this.#names) if (found.path === path) this.#names.delete(inode);
  }
}

/** More paths than this are not counted beforehand: their total grows while they are copied. */
const mostCounted = 20_000;

/** Bytes and files of a volume that has few paths, so that its progress has a total from the start (one big database file is the usual case). */
export async function totalOf(tree: Tree): Promise<{ bytes: number; files: number } | undefined> {
  const total = { bytes: 0, files: 0 };
  const linked = new LinkedFiles();
  let paths = 0;
  for await (const { path, stat } of walk(tree, () => {})) {
    if (++paths > mostCounted) return undefined;
    if (stat.isDirectory() || stat.isSocket()) continue;
    total.files++;
    if (stat.isFile() && (stat.nlink === 1n || linked.first(stat, path) === undefined)) total.bytes += Number(stat.size);
  }
  return total;
}
