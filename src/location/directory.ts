import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TranshipError } from '../errors.ts';
import { deleteEach } from './delete-each.ts';
import { directFrom, readDirect, writeDirect } from './direct.ts';
import type { Listed, Location } from './location.ts';
import { checkName, checkPrefix, missing, tooLarge, tooShort } from './names.ts';

const temporary = '.tmp';
/** What a killed process left half written is removed after this time, milliseconds: no write takes as long. */
const abandonedAfter = 3_600_000;

/**
 * A directory as object store. An object appears complete or not at all: temporary file, fsync, hard link to its name (which never
 * replaces), fsync of the directory.
 */
export function openDirectory(root: string): Location {
  const url = `dir:${root}`;
  const pathOf = (name: string): string => join(root, checkName(name));
  const durable = new Set<string>();
  let swept = false;

  return {
    url,
    async put(name, body, options = {}) {
      options.signal?.throwIfAborted();
      const path = pathOf(name);
      const scratch = join(root, temporary, `${process.pid}-${randomBytes(9).toString('hex')}`);
      try {
        await makeDirectory(dirname(path), root, durable);
        await makeDirectory(dirname(scratch), root, durable);
        await writeDurably(scratch, body);
        if (!swept) {
          swept = true;
          await removeAbandoned(scratch);
        }
        for (let attempt = 1; ; attempt++) {
          try {
            const result = await publish(scratch, path, options.ifAbsent ?? false);
            await syncDirectory(dirname(path));
            return result;
          } catch (error) {
            // A deletion took the empty directory away: deleteMany.
            if (!isAbsent(error) || attempt > 3) throw error;
            durable.clear();
            await makeDirectory(dirname(path), root, durable);
          }
        }
      } catch (error) {
        await unlink(scratch).catch(() => {});
        throw directoryError(error, 'write', url, name);
      }
    },
    async getRange(name, offset, length, signal) {
      signal?.throwIfAborted();
      const path = pathOf(name);
      return await withFile(url, name, path, async (file) => await readFully(file, path, offset, length, url, name));
    },
    async get(name, maxBytes, signal) {
      signal?.throwIfAborted();
      const path = pathOf(name);
      return await withFile(url, name, path, async (file) => {
        const { size } = await file.stat();
        if (size > maxBytes) throw tooLarge(url, name, size, maxBytes);
        return await readFully(file, path, 0, size, url, name);
      });
    },
    async head(name, signal) {
      signal?.throwIfAborted();
      try {
        const found = await stat(pathOf(name));
        return found.isFile() ? { size: found.size } : undefined;
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw directoryError(error, 'look up', url, name);
      }
    },
    async *list(prefix, signal) {
      checkPrefix(prefix);
      try {
        await stat(root);
      } catch (error) {
        throw directoryError(error, 'list', url, prefix);
      }
      const slash = prefix.lastIndexOf('/');
      yield* walk(root, slash < 0 ? '' : prefix.slice(0, slash), prefix, signal);
    },
    async delete(name, signal) {
      signal?.throwIfAborted();
      try {
        await unlink(pathOf(name));
      } catch (error) {
        if (!isAbsent(error)) throw directoryError(error, 'delete', url, name);
      }
    },
    async deleteMany(names, signal) {
      const refused = await deleteEach(names, async (name) => await this.delete(name, signal), signal);
      for (const path of new Set(names.map((name) => dirname(pathOf(name))))) await removeEmpty(path, root, durable);
      return refused;
    },
    // A local file system stamps files with the clock of this machine. A file server may have another one, which a reader cannot ask for.
    now: async () => await Promise.resolve(Date.now()),
    async close() {},
  };
}

/** Directories that hold nothing any more go as well, up to the root. A put that comes meanwhile makes them again. */
async function removeEmpty(path: string, root: string, durable: Set<string>): Promise<void> {
  for (let at = path; at.startsWith(`${root}/`); at = dirname(at)) {
    try {
      await rmdir(at);
      durable.delete(at);
    } catch {
      return; // not empty, or gone, or not ours to remove: only tidiness is lost
    }
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

async function withFile<T>(url: string, name: string, path: string, work: (file: Handle) => Promise<T>): Promise<T> {
  let file: Handle | undefined;
  try {
    file = await open(path, 'r');
    return await work(file);
  } catch (error) {
    throw directoryError(error, 'read', url, name);
  } finally {
    await file?.close();
  }
}

async function readFully(file: Handle, path: string, offset: number, length: number, url: string, name: string): Promise<Uint8Array> {
  // The size is checked before allocation: a short object must not cost the memory of a long one.
  const { size } = await file.stat();
  if (offset + length > size) throw tooShort(url, name, offset + length, size);
  const direct = length < directFrom ? undefined : await readDirect(path, offset, length);
  if (direct !== undefined) return direct;
  const buffer = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw tooShort(url, name, offset + length, offset + filled);
    filled += bytesRead;
  }
  return buffer;
}

async function writeDurably(path: string, body: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for (let at = await writeDirect(path, body); at < body.length;) at += (await file.write(body, at, body.length - at, at)).bytesWritten;
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** By the age that the file system's own clock gives, seen from the file just written: other machines may write here too. Best effort. */
async function removeAbandoned(mine: string): Promise<void> {
  try {
    const now = (await stat(mine)).mtimeMs;
    for (const name of await readdir(dirname(mine))) {
      const path = join(dirname(mine), name);
      if ((await stat(path)).mtimeMs < now - abandonedAfter) await unlink(path);
    }
  } catch {
    // Somebody else removes them at the same time, or it is tried again by the next process.
  }
}

async function publish(scratch: string, path: string, ifAbsent: boolean): Promise<'created' | 'exists'> {
  if (!ifAbsent) {
    await rename(scratch, path);
    return 'created';
  }
  try {
    await link(scratch, path);
  } catch (error) {
    if (codeOfSystem(error) === 'EEXIST') {
      await unlink(scratch);
      return 'exists';
    }
    // File systems without hard links (some FUSE and SMB mounts): the window between check and rename is theirs.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOfSystem(error) ?? '')) throw error;
    if (await exists(path)) {
      await unlink(scratch);
      return 'exists';
    }
    await rename(scratch, path);
    return 'created';
  }
  await unlink(scratch);
  return 'created';
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: unknown) => {
      if (isAbsent(error)) return false;
      throw error;
    },
  );
}

/** Makes missing directories below the root and syncs each parent, so that a crash does not lose a path that was reported as stored. */
async function makeDirectory(path: string, root: string, durable: Set<string>): Promise<void> {
  if (durable.has(path)) return;
  await makePath(path);
  for (let at = path; at.startsWith(root) && !durable.has(at); at = dirname(at)) {
    durable.add(at);
    await syncDirectory(dirname(at));
    if (at === root) break;
  }
}

/**
 * `mkdir -p`, with others who do the same at the same time (streams). Node's own recursive mkdir never returns below /proc, where a parent exists and yet takes
 * no children (ENOENT for ever): here the second try is the last.
 */
async function makePath(path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(path);
      return;
    } catch (error) {
      const code = codeOfSystem(error);
      if (code === 'EEXIST') return;
      if (code !== 'ENOENT' || attempt > 1 || dirname(path) === path) throw error;
      await makePath(dirname(path));
    }
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function* walk(root: string, below: string, prefix: string, signal?: AbortSignal): AsyncGenerator<Listed> {
  signal?.throwIfAborted();
  const found = await readdir(join(root, below), { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw directoryError(error, 'list', `dir:${root}`, below);
  });
  // Object stores order whole names by their bytes, so a directory sorts as if it ended with its slash.
  const keyed = found
    .filter((child) => below !== '' || child.name !== temporary)
    .map((child) => ({ child, key: child.isDirectory() ? `${child.name}/` : child.name }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const { child } of keyed) {
    const name = below === '' ? child.name : `${below}/${child.name}`;
    if (child.isDirectory()) {
      if (`${name}/`.startsWith(prefix) || prefix.startsWith(`${name}/`)) yield* walk(root, name, prefix, signal);
    } else if (child.isFile() && name.startsWith(prefix)) {
      const info = await stat(join(root, name)).catch(() => undefined);
      if (info !== undefined) yield { name, size: info.size, modified: info.mtimeMs };
    }
  }
}

function codeOfSystem(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOfSystem(error) ?? '');
}

function directoryError(error: unknown, verb: string, url: string, name: string): unknown {
  if (error instanceof TranshipError || (error instanceof Error && error.name === 'AbortError')) return error;
  const code = codeOfSystem(error);
  const what = `Cannot ${verb} ${name === '' ? 'the directory' : name} in ${url}`;
  if (isAbsent(error))
    return verb === 'read' ? missing(url, name) : new TranshipError('NotFound', `${what}: the directory does not exist.`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new TranshipError('Forbidden', `${what}: ${code === 'EROFS' ? 'it is mounted read-only' : 'permission denied'}.`, {
      hint: 'Give this user write access to the directory, or choose another one.',
      cause: error,
    });
  }
  // Node has no name for EDQUOT (122).
  if (code === 'ENOSPC' || code === 'EDQUOT' || (error as NodeJS.ErrnoException).errno === -122)
    return new TranshipError('NoSpace', `${what}: no space is left.`, {
      hint: 'Make space there, then start again: what is stored is used.',
      cause: error,
    });
  return new TranshipError('Unreachable', `${what}: ${code ?? 'unknown error'}.`, { cause: error });
}
