import { closeSync, constants, lstatSync, openSync, readdirSync, type BigIntStats } from 'node:fs';
import { TranshipError } from '../errors.ts';
import { errnoOf } from './sys.ts';

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const noAccessTime = 0o1000000; // O_NOATIME
/** Open directories kept per tree. */
const mostOpen = 64;

/**
 * A volume's files by relative path (latin1). Every directory on the way is opened without following links and children are named through
 * `/proc/self/fd/N/name`: no path can leave the volume through a link, and a path may be longer than PATH_MAX.
 */
export class Tree {
  readonly root: number;
  readonly #open = new Map<string, number>();

  constructor(path: string) {
    try {
      this.root = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (error) {
      throw new TranshipError('NotFound', `The volume ${path} cannot be opened: ${errnoOf(error)}.`, { cause: error });
    }
  }

  /** The path to give to the system, as latin1 text. */
  at(path: string): string {
    if (path === '') return `/proc/self/fd/${this.root}/.`;
    const cut = path.lastIndexOf('/');
    const directory = cut < 0 ? this.root : this.directory(path.slice(0, cut));
    return `/proc/self/fd/${directory}/${path.slice(cut + 1)}`;
  }

  /** As `at`, as bytes for node:fs. */
  bytes(path: string): Buffer {
    return Buffer.from(this.at(path), 'latin1');
  }

  stat(path: string): BigIntStats {
    return lstatSync(this.bytes(path), { bigint: true });
  }

  /** The stat of a path, or undefined when nothing is there. */
  find(path: string): BigIntStats | undefined {
    try {
      return this.stat(path);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  open(path: string, flags: number, mode = 0o600): number {
    return openSync(this.bytes(path), flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode);
  }

  /** Opens for reading without touching the access time, where that is allowed. */
  openToRead(path: string): number {
    try {
      return this.open(path, constants.O_RDONLY | noAccessTime);
    } catch (error) {
      if (errnoOf(error) !== 'EPERM') throw error;
      return this.open(path, constants.O_RDONLY);
    }
  }

  /** Names in a directory, sorted by bytes, with what is known of their type. */
  list(path: string): { name: string; directory: boolean }[] {
    const found = readdirSync(Buffer.from(`/proc/self/fd/${this.directory(path)}/.`, 'latin1'), {
      encoding: 'latin1',
      withFileTypes: true,
    });
    return found
      .map((child) => ({ name: child.name, directory: child.isDirectory() }))
      .filter((child) => !(path === '' && child.name === 'lost+found' && child.directory))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** A descriptor of a directory; stays valid until 64 others were opened. */
  directory(path: string): number {
    if (path === '') return this.root;
    const cached = this.#open.get(path);
    if (cached !== undefined) return cached;
    let known = path;
    while (known !== '' && !this.#open.has(known)) known = known.includes('/') ? known.slice(0, known.lastIndexOf('/')) : '';
    let fd = this.#open.get(known) ?? this.root;
    let at = known;
    for (const part of path.slice(known === '' ? 0 : known.length + 1).split('/')) {
      at = at === '' ? part : `${at}/${part}`;
      fd = openSync(Buffer.from(`/proc/self/fd/${fd}/${part}`, 'latin1'), directoryFlags);
      this.#keep(at, fd);
    }
    return fd;
  }

  #keep(path: string, fd: number): void {
    this.#open.set(path, fd);
    if (this.#open.size <= mostOpen) return;
    for (const [oldest, held] of this.#open) {
      this.#open.delete(oldest);
      closeSync(held);
      break;
    }
  }

  /** Forgets open directories at and below a path that is about to be removed. */
  forget(path: string): void {
    for (const [open, fd] of this.#open) {
      if (open !== path && !open.startsWith(`${path}/`)) continue;
      this.#open.delete(open);
      closeSync(fd);
    }
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
    closeSync(this.root);
  }
}

/** True for the errors of a path that is not there. */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error));
}
