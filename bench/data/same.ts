/** Two trees by content: names, kinds, sizes, modes and every byte. Times and owners are the fidelity tests' matter, not the bench's. */
import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** The first difference as a sentence, or undefined when there is none. Gives way to other work of this process now and then. */
export async function differenceOf(left: string, right: string, signal: AbortSignal): Promise<string | undefined> {
  const directories = [''];
  const buffers = [Buffer.allocUnsafe(1 << 20), Buffer.allocUnsafe(1 << 20)] as const;
  for (let path = directories.pop(); path !== undefined; path = directories.pop()) {
    signal.throwIfAborted();
    await new Promise((resume) => setImmediate(resume));
    const [mine, theirs] = [namesIn(join(left, path)), namesIn(join(right, path))];
    if (mine.join('\0') !== theirs.join('\0')) return `the names in ${path === '' ? 'the root' : path} differ`;
    for (const name of mine) {
      const inside = join(path, name);
      const [a, b] = [lstatSync(join(left, inside)), lstatSync(join(right, inside))];
      if (a.mode !== b.mode) return `${inside} has mode ${b.mode.toString(8)} and not ${a.mode.toString(8)}`;
      if (a.isDirectory()) directories.push(inside);
      else if (a.size !== b.size) return `${inside} has ${b.size} bytes and not ${a.size}`;
      else if (a.isFile() && !(await sameBytes(join(left, inside), join(right, inside), buffers, signal)))
        return `${inside} has other bytes`;
    }
  }
  return undefined;
}

/** The target of kopia and ours may hold what the file system makes by itself. */
function namesIn(path: string): string[] {
  return readdirSync(path)
    .filter((name) => name !== 'lost+found')
    .toSorted();
}

async function sameBytes(left: string, right: string, [a, b]: readonly [Buffer, Buffer], signal: AbortSignal): Promise<boolean> {
  const fds = [openSync(left, 'r'), openSync(right, 'r')] as const;
  try {
    for (let position = 0; ;) {
      const [read, also] = [readSync(fds[0], a, 0, a.length, position), readSync(fds[1], b, 0, b.length, position)];
      if (read !== also || a.subarray(0, read).compare(b.subarray(0, also)) !== 0) return false;
      if (read === 0) return true;
      position += read;
      if (position % (64 << 20) === 0) {
        signal.throwIfAborted();
        await new Promise((resume) => setImmediate(resume));
      }
    }
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
