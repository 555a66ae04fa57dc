/** Processes that outlive their starter, known by pid and start time, recorded in the ledger by themselves before they become the program. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TranshipError } from '../../src/errors.ts';
import type { Ledger, ProcessId } from './ledger.ts';

/**
 * Field 22 of /proc/PID/stat, or undefined when the process is gone or only its exit status is left. A killed program with threads shows the
 * state of its first thread, which may be over while others still hold its files: its ports were taken for the next one (`bind: address already in
 * use`). So what counts is that no other thread is left (field 20).
 */
export function startTimeOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const over = fields[0] === 'Z' || fields[0] === 'X';
  return over && Number(fields[17]) <= 1 ? undefined : fields[19];
}

export function ownProcess(): ProcessId {
  return { pid: process.pid, started: startTimeOf(process.pid) ?? '' };
}

export function isAlive(id: ProcessId): boolean {
  return startTimeOf(id.pid) === id.started;
}

/** Changes with every boot of the machine. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Sends SIGKILL to exactly this process; no effect when it is gone. */
export function kill(id: ProcessId): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, 'SIGKILL');
  } catch {
    return;
  }
}

/** Waits until all are gone (a killed process needs a moment to give back its memory and mounts). */
export async function gone(ids: readonly ProcessId[], limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  let wait = 2;
  while (ids.some(isAlive)) {
    if (Date.now() > end) {
      const left = ids.filter(isAlive).map((id) => id.pid);
      throw new TranshipError('TimedOut', `Processes did not end after SIGKILL: ${left.join(', ')}.`);
    }
    await delay(wait);
    wait = Math.min(wait * 2, 100);
  }
}

export type Start = {
  readonly what: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Output goes to the end of this file. */
  readonly log: string;
  /** Directories of cgroups that the process enters before it becomes the program. */
  readonly cgroups?: readonly string[];
};

/**
 * Between fork and the starter's next line there is a moment in which a SIGKILL of the starter would leave an unknown process. So the
 * process writes its own record first, and only then becomes the program (exec keeps pid and start time). A removed ledger stops it.
 */
const recordThenExec = `
ledger=$1 what=$2 cgroups=$3; shift 3
printf '\\n{"kind":"process","what":"%s","pid":%s,"started":"%s"}\\n' "$what" $$ "$(cut -d' ' -f22 /proc/$$/stat)" >> "$ledger" || exit 90
for group in $cgroups; do echo 0 > "$group/cgroup.procs" || exit 91; done
exec "$@"`;

/** Starts a program in its own session. It goes on when we end. */
export function startRecorded(ledger: Ledger, start: Start): ProcessId {
  mkdirSync(dirname(start.log), { recursive: true });
  const output = openSync(start.log, 'a');
  try {
    const child = spawn('/bin/sh', ['-c', recordThenExec, 'sh', ledger.path, start.what, (start.cgroups ?? []).join(' '), ...start.argv], {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...start.env },
      cwd: '/',
    });
    child.unref();
    child.on('error', () => undefined);
    if (child.pid === undefined) throw new TranshipError('Internal', `Could not start ${start.what}.`);
    return { pid: child.pid, started: startTimeOf(child.pid) ?? '' };
  } finally {
    closeSync(output);
  }
}
