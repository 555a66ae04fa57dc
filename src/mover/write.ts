import { closeSync, constants, fstatSync, ftruncateSync, linkSync, mkdirSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import type { Entry } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import { applyAttributes } from './attributes.ts';
import { errnoOf, makeNode } from './sys.ts';
import { isGone, type Tree } from './tree.ts';

export type How = 'create' | 'change' | 'heal';

/** Removes whatever is at a path, with all below it. Nothing there is fine. */
export function removeAny(tree: Tree, path: string): void {
  const stat = tree.find(path);
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    unlinkSync(tree.bytes(path));
    return;
  }
  for (const child of tree.list(path)) removeAny(tree, `${path}/${child.name}`);
  tree.forget(path);
  rmdirSync(tree.bytes(path));
}

/** Makes or opens a regular file for writing and gives it its size, unless what the caller writes does. The caller closes. */
export function openTarget(tree: Tree, entry: Entry, how: How, sized = false): number {
  const size = entry.size ?? 0;
  if (how === 'create') {
    const fd = createFile(tree, entry.path);
    if (size > 0 && !sized) ftruncateSync(fd, size);
    return fd;
  }
  let fd: number;
  try {
    fd = tree.open(entry.path, constants.O_RDWR);
  } catch (error) {
    if (isGone(error)) throw touched(entry.path, error);
    throw error;
  }
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    throw touched(entry.path);
  }
  if (stat.size !== size) ftruncateSync(fd, size);
  return fd;
}

function createFile(tree: Tree, path: string): number {
  try {
    return tree.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    removeAny(tree, path);
    return tree.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
  }
}

function touched(path: string, cause?: unknown): TranshipError {
  return new TranshipError('Conflict', `The target does not hold ${path} as the last round left it: something else wrote to the volume.`, {
    hint: 'Copy again without naming the round that the target holds: it is then compared and healed.',
    cause,
  });
}

/** Makes sure that a directory is there; its attributes come when all is in it. Returns true when it was made. */
export function ensureDirectory(tree: Tree, path: string): boolean {
  const stat = tree.find(path);
  if (stat?.isDirectory() === true) return false;
  if (stat !== undefined) removeAny(tree, path);
  mkdirSync(tree.bytes(path), { mode: 0o700 });
  return true;
}

/** Makes a symlink, FIFO or device node with its attributes. */
export function createSpecial(tree: Tree, entry: Entry): void {
  removeAny(tree, entry.path);
  if (entry.type === 'symlink') symlinkSync(Buffer.from(entry.link ?? '', 'latin1'), tree.bytes(entry.path));
  else if (entry.type === 'fifo' || entry.type === 'character' || entry.type === 'block')
    makeNode(tree.at(entry.path), entry.type, 0o600, entry.rdev);
  applyAttributes(tree, entry);
}

/** Makes `path` a name of the same file as `link`; returns false when it was one already. */
export function ensureHardlink(tree: Tree, path: string, link: string): boolean {
  const first = tree.stat(link);
  const there = tree.find(path);
  if (there !== undefined && there.ino === first.ino && there.dev === first.dev) return false;
  if (there !== undefined) removeAny(tree, path);
  linkSync(tree.bytes(link), tree.bytes(path));
  return true;
}
