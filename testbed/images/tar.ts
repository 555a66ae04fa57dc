/**
 * Writes tar archives whose bytes depend on nothing but their entries: sorted names, time 0, no names of users (POSIX ustar, with a
 * pax record where a name is too long for it).
 */
import { createHash, type Hash } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';

export type TarEntry = { readonly mode: number; readonly uid?: number; readonly gid?: number } & (
  | { readonly type: 'directory' }
  | { readonly type: 'symlink'; readonly target: string }
  /** Bytes in memory or in the file `from`. */
  | { readonly type: 'file'; readonly content: Buffer | { readonly from: string } }
);

export type TarResult = { readonly sha256: string; readonly size: number };

/** Writes the entries (by path, no leading `/`) to `path`; a parent always comes before what is in it. Returns hash and size in bytes. */
export async function writeTar(path: string, entries: ReadonlyMap<string, TarEntry>, signal: AbortSignal): Promise<TarResult> {
  const file = await open(path, 'w');
  const out = { file, hash: createHash('sha256'), size: 0 };
  try {
    // By bytes: `a/b` sorts after `a`, so directories lead.
    for (const name of [...entries.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const entry = entries.get(name);
      if (entry !== undefined) await writeEntry(out, name, entry, signal);
    }
    await append(out, Buffer.alloc(1024));
    return { sha256: out.hash.digest('hex'), size: out.size };
  } finally {
    await file.close();
  }
}

type Out = { readonly file: FileHandle; readonly hash: Hash; size: number };

async function writeEntry(out: Out, name: string, entry: TarEntry, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const full = entry.type === 'directory' ? `${name}/` : name;
  const target = entry.type === 'symlink' ? entry.target : '';
  const size = await sizeOf(entry);
  const records = [
    ...(Buffer.byteLength(full) > 100 ? [paxRecord('path', full)] : []),
    ...(Buffer.byteLength(target) > 100 ? [paxRecord('linkpath', target)] : []),
  ];
  if (records.length > 0) {
    const pax = Buffer.concat(records);
    await append(out, header('pax', 'x', { mode: 0o644 }, pax.length, ''));
    await append(out, padded(pax));
  }
  const type = { directory: '5', symlink: '2', file: '0' }[entry.type];
  await append(out, header(full, type, entry, size, target));
  if (entry.type !== 'file') return;
  if (Buffer.isBuffer(entry.content)) return append(out, padded(entry.content));
  await appendFile(out, entry.content.from, size, signal);
}

async function sizeOf(entry: TarEntry): Promise<number> {
  if (entry.type !== 'file') return 0;
  return Buffer.isBuffer(entry.content) ? entry.content.length : (await stat(entry.content.from)).size;
}

async function appendFile(out: Out, path: string, size: number, signal: AbortSignal): Promise<void> {
  const source = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    let left = size;
    while (left > 0) {
      signal.throwIfAborted();
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, left));
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was packed`);
      await append(out, buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
  } finally {
    await source.close();
  }
  await append(out, Buffer.alloc((512 - (size % 512)) % 512));
}

async function append(out: Out, bytes: Buffer): Promise<void> {
  out.hash.update(bytes);
  out.size += bytes.length;
  await out.file.writeFile(bytes);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** One header block; layout of POSIX ustar. Names over 100 bytes are cut here, a pax record before it holds them whole. */
function header(name: string, type: string, owner: { mode: number; uid?: number; gid?: number }, size: number, target: string): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  Buffer.from(name).copy(block, 0, 0, 100);
  octal(owner.mode, 100, 8);
  octal(owner.uid ?? 0, 108, 8);
  octal(owner.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148, 'latin1'); // the checksum counts itself as blanks
  block.write(type, 156, 'latin1');
  Buffer.from(target).copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** `LENGTH key=value\n`, where LENGTH counts its own digits too. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
