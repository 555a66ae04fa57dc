import { closeSync, fstatSync } from 'node:fs';
import type { Entry } from '../archive/index.ts';
import { nextData } from './sys.ts';
import type { Tree } from './tree.ts';

export interface Holes {
  /** Where data is next, at or after `from`; undefined when only a hole follows. */
  nextData(from: number): number | undefined;
  /** Says whether the file was changed meanwhile. */
  close(): boolean;
}

/** Where a sparse file has data: a hole of many TiB must not cost a task per few MiB. Undefined when the file cannot be opened: who reads it will say why. */
export function holesOf(tree: Tree, entry: Entry): Holes | undefined {
  let fd: number;
  try {
    fd = tree.openToRead(entry.path);
  } catch {
    return undefined;
  }
  const before = fstatSync(fd, { bigint: true }).mtimeNs;
  return {
    nextData: (from) => nextData(fd, from, entry.size ?? 0)?.start,
    close() {
      const changed = fstatSync(fd, { bigint: true }).mtimeNs !== before;
      closeSync(fd);
      return changed;
    },
  };
}
