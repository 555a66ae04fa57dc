/** The files of one layer, collected before they are packed: a map of paths without leading `/`. */
import { lstat, readdir, readlink } from 'node:fs/promises';
import { posix } from 'node:path';
import type { TarEntry } from './tar.ts';

export type Tree = Map<string, TarEntry>;

/** Top directories that are links into /usr on every current distribution; packages of older ones still ship files below them. */
const merged = ['bin', 'sbin', 'lib', 'lib64'];

/** A root with the usual empty directories and the links into /usr. */
export function newRoot(): Tree {
  const tree: Tree = new Map();
  for (const dir of merged) tree.set(dir, { type: 'symlink', target: `usr/${dir}`, mode: 0o777 });
  for (const dir of ['dev', 'etc', 'proc', 'run', 'sys', 'usr', 'usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'var'])
    tree.set(dir, { type: 'directory', mode: 0o755 });
  tree.set('root', { type: 'directory', mode: 0o700 });
  tree.set('tmp', { type: 'directory', mode: 0o1777 });
  return tree;
}

export function addFile(tree: Tree, path: string, content: string | Buffer | { readonly from: string }, mode = 0o644): void {
  addParents(tree, path);
  tree.set(path, { type: 'file', content: typeof content === 'string' ? Buffer.from(content) : content, mode });
}

export function addLink(tree: Tree, path: string, target: string): void {
  addParents(tree, path);
  tree.set(path, { type: 'symlink', target, mode: 0o777 });
}

export function addDirectory(tree: Tree, path: string, mode: number, owner = 0): void {
  addParents(tree, path);
  tree.set(path, { type: 'directory', mode, uid: owner, gid: owner });
}

function addParents(tree: Tree, path: string): void {
  const parent = posix.dirname(path);
  if (parent === '.' || tree.has(parent)) return;
  addParents(tree, parent);
  tree.set(parent, { type: 'directory', mode: 0o755 });
}

/**
 * Adds everything under `root` on disk whose path (as it will be in the image) is wanted. What is there already stays. Everything
 * belongs to root: the packages that are used have no other owners.
 */
export async function addFrom(tree: Tree, root: string, wanted: (path: string) => boolean, at = ''): Promise<void> {
  for (const name of await readdir(posix.join(root, at))) {
    const real = posix.join(at, name);
    const path = intoUsr(real);
    const from = posix.join(root, real);
    const found = await lstat(from);
    if (found.isDirectory()) await addFrom(tree, root, wanted, real);
    else if (!tree.has(path) && wanted(path)) {
      if (found.isSymbolicLink()) addLink(tree, path, await readlink(from));
      else if (found.isFile()) addFile(tree, path, { from }, found.mode & 0o777);
    }
  }
}

/** `lib/x` → `usr/lib/x`. */
function intoUsr(path: string): string {
  const [top = ''] = path.split('/');
  return merged.includes(top) ? `usr/${path}` : path;
}

/** Accounts by name and number; the first of every system is root. */
export function addAccounts(tree: Tree, more: readonly { readonly name: string; readonly id: number; readonly home: string }[] = []): void {
  const all = [{ name: 'root', id: 0, home: '/root' }, { name: 'nobody', id: 65534, home: '/nonexistent' }, ...more];
  addFile(tree, 'etc/passwd', all.map(({ name, id, home }) => `${name}:x:${id}:${id}:${name}:${home}:/bin/sh\n`).join(''));
  addFile(tree, 'etc/group', all.map(({ name, id }) => `${name}:x:${id}:\n`).join(''));
  // Names come from DNS alone; without this file glibc asks for services that are not in the image.
  addFile(tree, 'etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
}
