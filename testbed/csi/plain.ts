/**
 * Volumes as directories. Snapshots are copies file by file: not atomic, which is what makes this medium useful beside the others
 * (a program with an invariant across two files sees the difference). The size is not enforced.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { CommandFailed, run } from './command.ts';
import type { Medium } from './medium.ts';

export const plain: Medium = {
  extension: '',
  leastBytes: 0,
  growsMounted: false,

  async create(place) {
    await mkdir(place);
    await chmod(place, 0o755); // whatever our umask is
  },
  async copy(from, to) {
    // No sync first: cp sees what is in the page cache, and syncing a whole busy file system takes seconds.
    // Named attributes, not --archive: there a failure to copy an extended attribute would pass in silence.
    const keep = '--preserve=mode,ownership,timestamps,links,xattr';
    try {
      await run('cp', ['--no-dereference', '--recursive', keep, '--reflink=auto', '--no-target-directory', '--', from, to]);
    } catch (error) {
      // The application goes on while we copy, and may remove a file that cp has already seen in its directory.
      if (!(error instanceof CommandFailed && onlyVanished(error.stderr))) throw error;
    }
  },
  async remove(place) {
    await run('rm', ['-rf', '--one-file-system', '--', place]);
  },
  async resize() {},
  async growMounted() {},
  async attach(place) {
    return place;
  },
  async attached(place) {
    return place;
  },
  async release() {},
  async usage() {
    return undefined;
  },
};

/** Did cp complain of nothing but files that were gone when it came to them? */
export function onlyVanished(stderr: string): boolean {
  const lines = stderr.split('\n').filter((line) => line !== '');
  return lines.length > 0 && lines.every((line) => /^(?:\S*\/)?cp: cannot (stat|open|access) .*: No such file or directory$/.test(line));
}
