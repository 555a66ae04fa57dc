/**
 * One owner at a time over processes: a file that names its owner. A lock whose owner died is taken over; the start time beside the
 * process id keeps a re-used id from holding a lock for ever.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Work } from './pieces.ts';

/** Waits until the lock `path` is ours (or the signal fires) and returns what gives it back. `what` names the work in progress lines. */
export async function lock(path: string, work: Work, what: string): Promise<() => Promise<void>> {
  const mine = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(mine, await ownerText(process.pid));
  try {
    for (let told = -Infinity; ;) {
      work.signal.throwIfAborted();
      try {
        await link(mine, path); // atomic: fails when the lock is there
        return () => rm(path, { force: true });
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
      const owner = await readFile(path, 'utf8').catch(() => '');
      if (owner !== '' && !(await isAlive(owner))) {
        await removeStale(path, owner, mine);
        continue;
      }
      if (performance.now() - told > 10_000) {
        work.onProgress(`${what}: another process (${owner.split(' ')[0]}) is making it, waiting`);
        told = performance.now();
      }
      await wait(200, undefined, { signal: work.signal });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** Two waiters may see the same dead owner; the slower one could remove the faster one's new lock, so look at what was taken away. */
async function removeStale(path: string, deadOwner: string, mine: string): Promise<void> {
  const aside = `${mine}.stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== deadOwner) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

async function ownerText(pid: number): Promise<string> {
  return `${pid} ${await startOf(pid)}`;
}

async function isAlive(owner: string): Promise<boolean> {
  const [pid, start] = owner.split(' ');
  return start !== '' && (await startOf(Number(pid))) === start;
}

/** Start time of a process in clock ticks since boot, '' when there is none (or it is a zombie). Field 22 of proc_pid_stat(5). */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? '' : (fields[19] ?? '');
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
