/** Who holds a lease, in a text that lets others on the same machine see whether that process still lives. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** `HOST/PID/START/NONCE`. The nonce tells two holders of one process apart. */
export function thisHolder(): string {
  return [place(), process.pid, startTime(process.pid) ?? 'unknown', randomBytes(4).toString('hex')].join('/');
}

/**
 * True only when the holder is certainly gone: a process of this machine that is not there any more, or whose number now belongs to a
 * younger process. Anything else (another machine, a text of another form) is left to expiry.
 */
export function isDeadHolder(holder: string): boolean {
  const [host, pidText, start, , ...rest] = holder.split('/');
  const pid = Number(pidText);
  if (host !== place() || rest.length > 0 || !Number.isInteger(pid) || pid <= 0) return false;
  if (!exists(pid)) return true;
  const now = startTime(pid);
  return now !== undefined && start !== 'unknown' && now !== start;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/**
 * Host name, boot and process namespace: containers may share a host name and a hub file, and a process number means nothing outside
 * its namespace.
 */
function place(): string {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8));
  const space = attempt(() => readlinkSync('/proc/self/ns/pid').replace(/\D/g, ''));
  return [hostname(), boot, space].filter((part) => part !== undefined).join(':');
}

/** Clock ticks after boot, field 22 of proc(5) stat; `dead` for a zombie; undefined where there is no /proc. */
function startTime(pid: number): string | undefined {
  return attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold spaces and brackets; the last bracket ends it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'dead' : fields[19];
  });
}

function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
