/** Random edits of a tree from a seed: everything that users, programs and package managers do to files between two rounds. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fstatSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { listXattrs, makeNode, punch, removeXattr, setTimes, setXattr } from '../sys.ts';

/** A whole number from 0 to below `below`. */
export type Pick = (below: number) => number;

/** Numbers from a seed, so that a failure can be run again (mulberry32). */
export function picker(seed: number): Pick {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const chunk = 1 << 20;
/** Few, so that edits meet; some sort around the slash, some are not UTF-8. */
const names = ['a', 'a-b', 'a.b', 'a b', 'b', 'B', 'c', 'aa', 'z\xff', '0', '\xc3\xa9', 'n'.repeat(255)];
const sizes = [0, 1, 4095, 4096, 65_537, chunk - 1, chunk, chunk + 1, 2 * chunk + 7, 5 * chunk, 9 * chunk + 1];
const acl = Buffer.from('0200000001000600ffffffff02000400d204000004000400ffffffff10000400ffffffff20000000ffffffff', 'hex');
const root = process.getuid?.() === 0;

interface Place {
  path: string;
  stat: Stats;
}

export class Edits {
  readonly #base: string;
  readonly #pick: Pick;

  constructor(base: string, pick: Pick) {
    this.#base = base;
    this.#pick = pick;
  }

  /** Does one edit; one that does not fit the tree as it is does nothing. Returns what it did, for the diary of a failure. */
  one(): string {
    const all = this.#all();
    const any = this.#of(all);
    const file = this.#of(all.filter(({ stat }) => stat.isFile()));
    const kinds: [weight: number, name: string, edit: () => void][] = [
      [6, 'new file', () => writeFileSync(bytes(this.#free()), this.#content())],
      [3, 'new directory', () => mkdirSync(bytes(this.#free()))],
      [2, 'symlink', () => symlinkSync(Buffer.from(this.#of(names) ?? '', 'latin1'), bytes(this.#free()))],
      [1, 'fifo', () => makeNode(this.#free(), 'fifo', 0o600)],
      [1, 'device', () => root && makeNode(this.#free(), 'character', 0o600, [this.#pick(500), this.#pick(2000)])],
      [3, 'remove', () => any !== undefined && remove(any.path)],
      [4, 'rename', () => any !== undefined && this.#rename(any.path, this.#name())],
      [2, 'swap', () => this.#swap(any, this.#of(all))],
      [6, 'overwrite in place', () => file !== undefined && this.#overwrite(file)],
      [4, 'overwrite with equal size and mtime', () => file !== undefined && this.#overwriteUnseen(file)],
      [3, 'append', () => file !== undefined && writeFileSync(bytes(file.path), this.#content(), { flag: 'a' })],
      [3, 'truncate', () => file !== undefined && truncateSync(bytes(file.path), this.#pick(file.stat.size + 1))],
      [2, 'extend', () => file !== undefined && truncateSync(bytes(file.path), file.stat.size + this.#pick(3 * chunk))],
      [3, 'punch a hole', () => file !== undefined && this.#punch(file)],
      [4, 'make a hardlink', () => any !== undefined && !any.stat.isDirectory() && linkSync(bytes(any.path), bytes(this.#free(any.path)))],
      [3, 'break a hardlink', () => this.#breakLink(this.#of(all.filter(({ stat }) => !stat.isDirectory() && stat.nlink > 1)))],
      [3, 'write through a hardlink', () => this.#overwriteLinked(this.#of(all.filter(({ stat }) => stat.isFile() && stat.nlink > 1)))],
      [3, 'chmod', () => any !== undefined && !any.stat.isSymbolicLink() && chmodSync(bytes(any.path), 0o700 + this.#pick(0o7077))],
      [2, 'chown', () => root && any !== undefined && lchownSync(bytes(any.path), this.#pick(2 ** 31) * 2, this.#pick(70_000))],
      [3, 'times', () => any !== undefined && setTimes(any.path, [this.#pick(3_000_000_000) - 500_000_000, this.#pick(1_000_000_000)])],
      [3, 'attribute', () => any !== undefined && this.#attribute(any)],
      [2, 'attributes away', () => any !== undefined && withoutAttributes(any.path)],
    ];
    let at = this.#pick(kinds.reduce((sum, [weight]) => sum + weight, 0));
    const [, name, edit] = kinds.find(([weight]) => (at -= weight) < 0) ?? kinds[0] ?? [0, '', () => {}];
    edit();
    return name;
  }

  #all(): Place[] {
    const found: Place[] = [];
    const visit = (directory: string): void => {
      for (const name of readdirSync(bytes(directory), { encoding: 'latin1' }).toSorted()) {
        const path = `${directory}/${name}`;
        const stat = lstatSync(bytes(path));
        found.push({ path, stat });
        if (stat.isDirectory()) visit(path);
      }
    };
    visit(this.#base);
    return found;
  }

  #of<T>(from: readonly T[]): T | undefined {
    return from.length === 0 ? undefined : from[this.#pick(from.length)];
  }

  /** Some path in some directory, not deeper than six. */
  #name(): string {
    const directories = this.#all().filter(
      ({ path, stat }) => stat.isDirectory() && path.split('/').length < this.#base.split('/').length + 6,
    );
    return `${this.#of([this.#base, ...directories.map(({ path }) => path)])}/${this.#of(names)}`;
  }

  /** As `name`, with nothing there any more: what was there changes its type. `kept` stays. */
  #free(kept?: string): string {
    const path = this.#name();
    if (kept === undefined || (kept !== path && !kept.startsWith(`${path}/`))) remove(path);
    else return `${path}.`;
    return path;
  }

  #content(): Buffer {
    const size = this.#of(sizes) ?? 0;
    const kind = this.#pick(4);
    if (kind === 0) return Buffer.alloc(size);
    if (kind === 1) return Buffer.alloc(size, `${this.#pick(1000)}${'\0'.repeat(this.#pick(5000))}`);
    const noise = Buffer.alloc(Math.min(size, 4096));
    for (let at = 0; at < noise.length; at++) noise[at] = this.#pick(256);
    return Buffer.alloc(size, noise.length === 0 ? 'x' : noise);
  }

  #rename(from: string, to: string): void {
    if (to === from || to.startsWith(`${from}/`) || from.startsWith(`${to}/`)) return;
    remove(to);
    renameSync(bytes(from), bytes(to));
  }

  #swap(one: Place | undefined, other: Place | undefined): void {
    if (one === undefined || other === undefined || one.path === other.path) return;
    if (one.path.startsWith(`${other.path}/`) || other.path.startsWith(`${one.path}/`)) return;
    const between = `${this.#base}/between`;
    renameSync(bytes(one.path), bytes(between));
    renameSync(bytes(other.path), bytes(one.path));
    renameSync(bytes(between), bytes(other.path));
  }

  #overwrite({ path, stat }: Place): void {
    const fd = openSync(bytes(path), 'r+');
    writeSync(fd, Buffer.alloc(1 + this.#pick(9000), String(this.#pick(1000))), 0, undefined, this.#pick(Math.max(1, stat.size)));
    closeSync(fd);
  }

  #overwriteUnseen({ path, stat }: Place): void {
    if (stat.size === 0) return;
    const fd = openSync(bytes(path), 'r+');
    const mtime = fstatSync(fd, { bigint: true }).mtimeNs;
    writeSync(fd, String(this.#pick(10)), this.#pick(stat.size));
    closeSync(fd);
    const rest = ((mtime % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    setTimes(path, [Number((mtime - rest) / 1_000_000_000n), Number(rest)]);
  }

  #overwriteLinked(place: Place | undefined): void {
    if (place !== undefined) this.#overwrite(place);
  }

  #punch({ path, stat }: Place): void {
    const fd = openSync(bytes(path), 'r+');
    punch(fd, 4096 * this.#pick(Math.ceil(stat.size / 4096) + 1), 4096 * (1 + this.#pick(600)));
    closeSync(fd);
  }

  #breakLink(place: Place | undefined): void {
    if (place === undefined) return;
    if (!place.stat.isFile()) return remove(place.path);
    const copy = `${this.#base}/copy`;
    copyFileSync(bytes(place.path), bytes(copy));
    renameSync(bytes(copy), bytes(place.path));
  }

  #attribute({ path, stat }: Place): void {
    if (stat.isFile() || stat.isDirectory()) {
      setXattr(path, `user.${this.#pick(3)}`, Buffer.alloc(this.#pick(900), String(this.#pick(100))));
      if (this.#pick(3) === 0) setXattr(path, 'system.posix_acl_access', acl);
      if (stat.isDirectory() && this.#pick(3) === 0) setXattr(path, 'system.posix_acl_default', acl);
    }
    if (root && this.#pick(4) === 0) setXattr(path, 'trusted.edit', Buffer.from(String(this.#pick(100))));
  }
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

function remove(path: string): void {
  rmSync(bytes(path), { recursive: true, force: true });
}

function withoutAttributes(path: string): void {
  for (const [name] of listXattrs(path)) if (!name.startsWith('security.') && !name.startsWith('trusted.SGI')) removeXattr(path, name);
}
