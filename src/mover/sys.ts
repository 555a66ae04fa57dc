/**
 * The system calls that Node lacks, through koffi (docs/adr/0002 says why koffi). Everything else of the mover uses node:fs. A call that the C library
 * does not have is refused at load: nothing is carried with a part of its attributes in silence. Linux, 64 bit.
 */
import koffi from 'koffi';
import { statfsSync } from 'node:fs';
import { constants } from 'node:os';
import { TranshipError } from '../errors.ts';

const seekData = 3;
const seekHole = 4;
const punchHole = 0x02 | 0x01; // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
const blkGetSize64 = 0x80081272;
const blkZeroOut = 0x127f;
const linkNotFollowed = 0x100; // AT_SYMLINK_NOFOLLOW
const currentDirectory = -100; // AT_FDCWD

type Call = (...args: unknown[]) => number;

function load(): Record<string, Call> {
  if (process.platform !== 'linux')
    throw new TranshipError('Unsupported', `Volumes can be copied on Linux only, not on ${process.platform}.`);
  const wanted: Record<string, string> = {
    lgetxattr: 'int64_t lgetxattr(const void *path, const void *name, void *value, uint64_t size)',
    lsetxattr: 'int lsetxattr(const void *path, const void *name, const void *value, uint64_t size, int flags)',
    lremovexattr: 'int lremovexattr(const void *path, const void *name)',
    llistxattr: 'int64_t llistxattr(const void *path, void *list, uint64_t size)',
    flistxattr: 'int64_t flistxattr(int fd, void *list, uint64_t size)',
    utimensat: 'int utimensat(int dir, const void *path, const void *times, int flags)',
    futimens: 'int futimens(int fd, const void *times)',
    mknod: 'int mknod(const void *path, uint32_t mode, uint64_t device)',
    lseek: 'int64_t lseek(int fd, int64_t offset, int whence)',
    fallocate: 'int fallocate(int fd, int mode, int64_t offset, int64_t length)',
    syncfs: 'int syncfs(int fd)',
    ioctl: 'int ioctl(int fd, uint64_t request, void *argument)',
    flock: 'int flock(int fd, int operation)',
    waitpid: 'int waitpid(int pid, void *status, int options)',
    posix_fadvise: 'int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)',
    memmove: 'uint64_t memmove(void *to, const void *from, uint64_t size)',
    preadv2: 'int64_t preadv2(int fd, const void *pieces, int count, int64_t offset, int flags)',
  };
  try {
    const library = koffi.load(null);
    return Object.fromEntries(Object.entries(wanted).map(([name, form]) => [name, library.func(form) as unknown as Call]));
  } catch (error) {
    throw new TranshipError('Unsupported', 'The C library of this system lacks a call that copying volumes needs.', {
      hint: 'Use the mover image of this release.',
      cause: error,
    });
  }
}

const c = load();

function raw(name: string, ...args: unknown[]): number {
  const call = c[name];
  if (call === undefined) throw new TranshipError('Internal', `System call ${name} is not bound.`);
  return call(...args);
}

function called(name: string, ...args: unknown[]): number {
  const result = raw(name, ...args);
  if (result < 0) throw systemError(name, koffi.errno());
  return result;
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** An error as Node's own fs throws them: with `code`. */
function systemError(call: string, errno: number): NodeJS.ErrnoException {
  const code = errnoNames.get(errno) ?? `errno ${errno}`;
  return Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call });
}

/** The `code` of a system error, '' for anything else. Node has no names for some of Linux (EDQUOT): those come from the number. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return '';
  const { errno } = error as NodeJS.ErrnoException;
  return error.code.startsWith('Unknown system error') && errno !== undefined ? (errnoNames.get(-errno) ?? error.code) : error.code;
}

/** A latin1 path as the zero-terminated bytes that C wants. */
function zero(path: string): Buffer {
  return Buffer.from(`${path}\0`, 'latin1');
}

const names = Buffer.allocUnsafeSlow(65_536);
const value = Buffer.allocUnsafeSlow(65_536);

/** All extended attributes of a path (links are not followed), sorted by name; empty where the file system has none. */
export function listXattrs(path: string): [string, Buffer][] {
  const bytes = zero(path);
  const length = raw('llistxattr', bytes, names, names.length);
  if (length <= 0) {
    if (length === 0) return [];
    const error = systemError('llistxattr', koffi.errno());
    if (['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(error.code ?? '')) return [];
    throw error;
  }
  const found: [string, Buffer][] = [];
  for (const name of names
    .toString('latin1', 0, length - 1)
    .split('\0')
    .toSorted()) {
    const size = raw('lgetxattr', bytes, zero(name), value, value.length);
    if (size >= 0) found.push([name, Buffer.from(value.subarray(0, size))]);
    else if (koffi.errno() !== constants.errno.ENODATA) throw systemError(`lgetxattr ${name}`, koffi.errno());
  }
  return found;
}

/** True when an open file has extended attributes, or it cannot be said. */
export function mayHaveXattrs(fd: number): boolean {
  if (raw('flistxattr', fd, names, 0) === 0) return false;
  return !['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemError('flistxattr', koffi.errno()).code ?? '');
}

export function setXattr(path: string, name: string, content: Buffer): void {
  if (raw('lsetxattr', zero(path), zero(name), content, content.length, 0) === 0) return;
  const error = systemError(`lsetxattr ${name}`, koffi.errno());
  // ext4 and btrfs say "no space" of an attribute that is larger than they hold, on an empty disk too.
  if (['ENOSPC', 'E2BIG'].includes(error.code ?? '') && hasRoom(path))
    throw new Error(`attribute ${name} of ${content.length} bytes is more than the file system can hold`);
  throw error;
}

function hasRoom(path: string): boolean {
  const { bavail, ffree, files } = statfsSync(Buffer.from(path.slice(0, path.lastIndexOf('/') + 1) || '.', 'latin1'));
  return bavail > 256 && (ffree > 0 || files === 0);
}

export function removeXattr(path: string, name: string): void {
  called('lremovexattr', zero(path), zero(name));
}

const times = Buffer.alloc(32);

function timesOf([seconds, nanoseconds]: [number, number]): Buffer {
  times.writeBigInt64LE(BigInt(seconds), 0);
  times.writeBigInt64LE(BigInt(nanoseconds), 8);
  times.copy(times, 16, 0, 16);
  return times;
}

/** Sets atime and mtime of a path to the nanosecond; links are not followed. */
export function setTimes(path: string, mtime: [number, number]): void {
  called('utimensat', currentDirectory, zero(path), timesOf(mtime), linkNotFollowed);
}

export function setTimesOf(fd: number, mtime: [number, number]): void {
  called('futimens', fd, timesOf(mtime));
}

/** Device numbers as Linux packs them (glibc's makedev). */
export function makeDevice(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return (b & 0xffn) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | ((a & 0xfffff000n) << 32n);
}

export function splitDevice(device: bigint): [major: number, minor: number] {
  return [Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)), Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n))];
}

const specialModes = { fifo: 0o010000, character: 0o020000, block: 0o060000 };

export function makeNode(path: string, type: keyof typeof specialModes, mode: number, rdev: [number, number] = [0, 0]): void {
  called('mknod', zero(path), specialModes[type] | mode, makeDevice(...rdev));
}

/** The next range with data at or after `from`, or undefined when only a hole follows. A file system without SEEK_DATA says: all is data. */
export function nextData(fd: number, from: number, size: number): { start: number; end: number } | undefined {
  const start = raw('lseek', fd, from, seekData);
  if (start < 0) {
    const errno = koffi.errno();
    if (errno === constants.errno.ENXIO) return undefined;
    if (errno === constants.errno.EINVAL) return { start: from, end: size };
    throw systemError('lseek', errno);
  }
  const end = raw('lseek', fd, start, seekHole);
  return { start, end: end < 0 ? size : end };
}

/**
 * Makes a range read as zeros and gives its blocks back where it can: punch, else (block devices) zero-out. False when neither is there: the
 * caller writes zeros.
 */
export function punch(fd: number, offset: number, length: number): boolean {
  if (raw('fallocate', fd, punchHole, offset, length) === 0) return true;
  const errno = koffi.errno();
  if (![constants.errno.EOPNOTSUPP, constants.errno.ENOSYS, constants.errno.ENODEV, constants.errno.EINVAL].includes(errno))
    throw systemError('fallocate', errno);
  const range = Buffer.alloc(16);
  range.writeBigUInt64LE(BigInt(offset), 0);
  range.writeBigUInt64LE(BigInt(length), 8);
  return raw('ioctl', fd, blkZeroOut, range) === 0;
}

/** Everything written to the file system of `fd` is on stable storage when this returns. */
export function syncFileSystem(fd: number): void {
  called('syncfs', fd);
}

/** Bytes of a block device. */
export function deviceSize(fd: number): number {
  const size = Buffer.alloc(8);
  called('ioctl', fd, blkGetSize64, size);
  return Number(size.readBigUInt64LE());
}

/** Takes a lock that ends with the process; false when another process holds it. */
export function tryLock(fd: number, kind: 'shared' | 'exclusive'): boolean {
  if (raw('flock', fd, (kind === 'shared' ? 1 : 2) | 4) === 0) return true;
  if (koffi.errno() === constants.errno.EAGAIN) return false;
  throw systemError('flock', koffi.errno());
}

/** Drops the clean page cache of a file or device, so that the next read comes from the disk. */
export function dropCache(fd: number): void {
  raw('posix_fadvise', fd, 0, 0, 4);
}

const piece = Buffer.alloc(16);
const notWaiting = 8; // RWF_NOWAIT

/** Reads into the start of `buffer` what the page cache holds, without asking the disk. Returns the bytes; 0 when there are none, or the system cannot say. */
export function readCached(fd: number, buffer: Buffer, length: number, offset: number): number {
  piece.writeBigUInt64LE(BigInt(raw('memmove', buffer, buffer, 0)), 0); // an address: what memmove returns
  piece.writeBigUInt64LE(BigInt(Math.min(length, buffer.length)), 8);
  return Math.max(0, raw('preadv2', fd, piece, 1, offset, notWaiting));
}

/** Collects one ended child, if there is one: the duty of a container's first process. */
export function reapOne(): boolean {
  return raw('waitpid', -1, Buffer.alloc(4), 1) > 0;
}

/** Lets all threads share two malloc arenas: each one more keeps some MiB that its thread needed once. Without effect where the C library has no mallopt. */
export function keepArenasFew(): void {
  try {
    koffi.load(null).func('int mallopt(int parameter, int value)')(-8, 2); // M_ARENA_MAX
  } catch {
    // musl: it has no arenas
  }
}
