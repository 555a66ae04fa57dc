import { TranshipError } from '../errors.ts';
import type { ChunkRef } from './chunk.ts';
import { isConfined } from './path.ts';
import { checkRef } from './ref.ts';

export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'character' | 'block' | 'device';

/** A chunk of a file or device and its number: it starts at `number × chunkSize`. Numbers that are missing are zeros. */
export type PlacedChunk = [number: number, ref: ChunkRef];

/** One line of a manifest. `device` is the single entry of a raw block volume. */
export interface Entry {
  /** Latin1 text of the path's bytes; see path.ts. */
  path: string;
  type: EntryType;
  /** Permission bits with setuid, setgid and sticky. Absent for hardlinks and devices. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds since 1970 (may be negative) and nanoseconds (0 to 999,999,999). */
  mtime?: [number, number];
  /** Files and devices: logical bytes. */
  size?: number;
  /** Symlink: its text. Hardlink: the path that holds the content. Latin1. */
  link?: string;
  /** Character and block special files. */
  rdev?: [major: number, minor: number];
  /** Extended attributes, sorted by name: latin1 name, base64 value. POSIX ACLs and capabilities are among them. */
  xattrs?: [string, string][];
  /** In order of number. */
  chunks?: PlacedChunk[];
  /** Instead of chunks, for large files: each list holds the chunks of `listSpan` numbers from the given one on. */
  lists?: PlacedChunk[];
  /** With lists: bytes of all chunks. */
  used?: number;
  /** The source file used fewer blocks than its size: the target punches what is zero. */
  sparse?: true;
  /** For the next round's change detection: inode (decimal), ctime seconds, ctime nanoseconds. */
  seen?: [string, number, number];
}

/** Chunks that one list of a large file covers. */
export const listSpan = 1024;

const types = new Set(['file', 'directory', 'symlink', 'hardlink', 'fifo', 'character', 'block', 'device']);
const fields = new Set([
  'path',
  'type',
  'mode',
  'uid',
  'gid',
  'mtime',
  'size',
  'link',
  'rdev',
  'xattrs',
  'chunks',
  'lists',
  'used',
  'sparse',
  'seen',
]);

/** Reads one manifest line. Everything is checked, unknown fields are refused: the line comes from a store. */
export function parseEntry(line: string): Entry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw bad('is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('is no object');
  const entry = value as Record<string, unknown>;
  for (const field in entry) if (!fields.has(field)) throw bad(`has an unknown field ${field.slice(0, 40)}`);
  const { path, type, mode, uid, gid, mtime, size, link, rdev, xattrs, sparse, seen } = entry;
  if (typeof path !== 'string' || !isConfined(path) || !isLatin1(path)) throw bad('has a path that is not allowed');
  if (typeof type !== 'string' || !types.has(type)) throw bad('has an unknown type');
  if (path === '' && type !== 'directory' && type !== 'device') throw bad('replaces the root');
  const plain = type !== 'hardlink' && type !== 'device';
  check(plain ? whole(mode, 0o7777) && whole(uid, 0xffffffff) && whole(gid, 0xffffffff) : mode === undefined, 'mode or owner');
  check(mtime === undefined ? !plain : time(mtime), 'mtime');
  const sized = type === 'file' || type === 'device';
  check(sized ? whole(size, 2 ** 53 - 1) : size === undefined, 'size');
  check(
    type === 'symlink' || type === 'hardlink'
      ? typeof link === 'string' && link !== '' && isLatin1(link) && !link.includes('\0')
      : link === undefined,
    'link',
  );
  if (type === 'hardlink') check(isConfined(link as string), 'link');
  check(type === 'character' || type === 'block' ? pair(rdev) : rdev === undefined, 'rdev');
  check(xattrs === undefined || (Array.isArray(xattrs) && xattrs.every(isXattr)), 'xattrs');
  check(entry['used'] === undefined || whole(entry['used'], 2 ** 53 - 1), 'used');
  check(sparse === undefined || sparse === true, 'sparse');
  check(seen === undefined || (Array.isArray(seen) && seen.length === 3 && typeof seen[0] === 'string'), 'seen');
  checkPlaced(entry['chunks'], sized);
  checkPlaced(entry['lists'], sized);
  check(entry['chunks'] === undefined || entry['lists'] === undefined, 'chunks');
  return value as Entry;
}

/** Checks a row of numbered references: ascending, each valid. Used for lists as well. */
export function checkPlaced(value: unknown, allowed: boolean): PlacedChunk[] {
  if (value === undefined) return [];
  check(allowed && Array.isArray(value), 'chunks');
  let last = -1;
  for (const item of value as unknown[]) {
    if (!Array.isArray(item) || item.length !== 2 || !whole(item[0], 2 ** 40) || item[0] <= last) throw bad('has chunks in a wrong order');
    last = item[0];
    checkRef(item[1]);
  }
  return value as PlacedChunk[];
}

function check(right: boolean, what: string): void {
  if (!right) throw bad(`has a wrong ${what}`);
}

function bad(what: string): TranshipError {
  return new TranshipError('Integrity', `A manifest entry ${what}.`);
}

function whole(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}

function pair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && whole(value[0], 0xffffffff) && whole(value[1], 0xffffffff);
}

function time(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && Number.isSafeInteger(value[0]) && whole(value[1], 999_999_999);
}

function isXattr(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    typeof value[0] === 'string' &&
    typeof value[1] === 'string' &&
    value[0].length < 256 &&
    value[1].length < 90_000
  );
}

function isLatin1(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\xff]*$/.test(text);
}
