/**
 * The user's cache of things that are dear to make. An entry is a directory that appears in one step (rename) when it is complete, so
 * what was killed half-way is never mistaken for done; a lock per entry keeps two callers from doing the same work.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { lock } from './lock.ts';
import type { Work } from './pieces.ts';

/** `$TRANSHIP_CACHE`, else `$XDG_CACHE_HOME/tranship/testbed`, else `~/.cache/tranship/testbed`. Absolute. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['TRANSHIP_CACHE']) return resolve(env['TRANSHIP_CACHE']);
  return join(resolve(env['XDG_CACHE_HOME'] || join(homedir(), '.cache')), 'tranship', 'testbed');
}

/**
 * The entry `key` (one path segment) of the cache; `make` fills an empty directory for it when it is not there yet.
 * Nothing stays of a `make` that throws or is killed: leftovers of the dead are removed by the next caller.
 * @example await cached('etcd-3.6.16-x64', work, (dir) => build(dir))
 */
export async function cached(key: string, work: Work, make: (dir: string) => Promise<void>, dir = cacheDir()): Promise<string> {
  const entry = join(dir, key);
  if (existsSync(entry)) return entry;
  await mkdir(dir, { recursive: true });
  const unlock = await lock(join(dir, `.${key}.lock`), work, key);
  try {
    if (existsSync(entry)) return entry;
    const prefix = `.${key}.part-`;
    // We hold the lock, so whatever wrote these is dead.
    for (const name of await readdir(dir)) if (name.startsWith(prefix)) await removeTree(join(dir, name));
    const part = join(dir, `${prefix}${process.pid}`);
    await mkdir(part);
    try {
      await make(part);
      work.signal.throwIfAborted();
      await rename(part, entry);
    } catch (error) {
      await removeTree(part);
      throw error;
    }
    return entry;
  } finally {
    await unlock();
  }
}

async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}
