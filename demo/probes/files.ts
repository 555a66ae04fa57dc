// Runs inside a pod, read only: prints one JSON line per path below the given directory with everything that can be compared.
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs';
import { dlopen } from 'node:ffi';

const root = Buffer.from(process.argv.at(-1) ?? '/');
const firstNameOf = new Map<bigint, string>();
const block = Buffer.allocUnsafe(1 << 20);

function text(bytes: Buffer): string {
  return Buffer.from(bytes.toString('utf8')).equals(bytes) ? bytes.toString('utf8') : `hex:${bytes.toString('hex')}`;
}

const { functions: libc } = dlopen('libc.so.6', {
  llistxattr: { arguments: ['buffer', 'buffer', 'u64'], return: 'i64' },
  lgetxattr: { arguments: ['buffer', 'buffer', 'buffer', 'u64'], return: 'i64' },
});
const zero = Buffer.alloc(1);
const listed = Buffer.alloc(1 << 16);
const value = Buffer.alloc(1 << 16);

/** `name=hex` of each attribute of the user's name space; those of the system (security.*) belong to the machine. */
function xattrsOf(path: Buffer): string {
  const cPath = Buffer.concat([path, zero]);
  const length = Number(libc.llistxattr(cPath, listed, BigInt(listed.length)));
  if (length < 0) throw new Error(`cannot list the attributes of ${text(path)}`);
  const found: string[] = [];
  for (const name of listed.toString('latin1', 0, length).split('\0')) {
    if (!name.startsWith('user.')) continue;
    const size = Number(libc.lgetxattr(cPath, Buffer.from(`${name}\0`, 'latin1'), value, BigInt(value.length)));
    if (size < 0) throw new Error(`cannot read ${name} of ${text(path)}`);
    found.push(`${name}=${value.toString('hex', 0, size)}`);
  }
  return found.toSorted().join(' ');
}

function hashOf(path: Buffer): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  for (let read = readSync(file, block); read > 0; read = readSync(file, block)) hash.update(block.subarray(0, read));
  closeSync(file);
  return hash.digest('hex');
}

function typeOf(stat: BigIntStats): string {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  return stat.isSocket() ? 'socket' : 'device';
}

function visit(path: Buffer, name: Buffer): void {
  const stat = lstatSync(path, { bigint: true });
  const type = typeOf(stat);
  const shown = text(name);
  let linkedWith = '';
  if (type === 'file' && stat.nlink > 1n) {
    linkedWith = firstNameOf.get(stat.ino) ?? shown;
    firstNameOf.set(stat.ino, linkedWith);
  }
  console.log(
    JSON.stringify({
      path: shown,
      type,
      mode: (Number(stat.mode) & 0o7777).toString(8).padStart(4, '0'),
      owner: `${stat.uid}:${stat.gid}`,
      size: type === 'directory' ? 0 : Number(stat.size),
      mtime: String(stat.mtimeNs),
      linkedWith,
      links: type === 'directory' ? 0 : Number(stat.nlink),
      holes: type === 'file' && stat.blocks * 512n + 65536n < stat.size,
      pointsTo: type === 'symlink' ? text(readlinkSync(path, 'buffer')) : '',
      sha256: type === 'file' ? hashOf(path) : '',
      xattrs: type === 'symlink' ? '' : xattrsOf(path),
    }),
  );
  if (type !== 'directory') return;
  const names = readdirSync(path, { encoding: 'buffer' }).toSorted((a, b) => Buffer.compare(a, b));
  for (const child of names) {
    visit(Buffer.concat([path, Buffer.from('/'), child]), name.length === 0 ? child : Buffer.concat([name, Buffer.from('/'), child]));
  }
}

visit(root, Buffer.alloc(0));
