/**
 * One timed step of one tool, as the kernel counts it. CPU and bytes come from what the kernel adds to a parent when it has waited for a
 * child (all of the child's own children included), so nothing is missed at the end; the peak of memory is looked at 20 times a second.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statfsSync } from 'node:fs';

export interface Figures {
  /** Until the process ended, plus the flush of the file system that it wrote to. */
  seconds: number;
  /** The part of it that was the flush. */
  flushSeconds: number;
  /** User and system time of the tool and its children. */
  cpuSeconds: number;
  /** Sum over the tool's processes of the most memory each had resident. */
  peakMebibytes: number;
  /** Bytes that passed the tool's read and write calls: files, pipes, its own program; sockets where it uses read and write on them. */
  readBytes: number;
  writtenBytes: number;
  /** Cores that anybody else used meanwhile: other programs, the kernel's write-back, time stolen by the host. */
  otherCores: number;
  /** CPU seconds of the S3 server, when it takes part. */
  storeCpuSeconds?: number;
}

/** Below this a repetition counts as quiet, cores. */
export const quietBelow = 0.25;

export interface MeasureOptions {
  /** A directory on the file system that is written to. */
  flush: string;
  /** The S3 server. */
  store?: number;
}

/** Runs `action`, which tells the processes that it starts and ends when all of them have ended. */
export async function measure<T>(
  options: MeasureOptions,
  action: (started: (pid: number | undefined) => void) => Promise<T>,
): Promise<{ figures: Figures; result: T }> {
  await flush(options.flush);
  const peaks = new Map<number, number>();
  const roots: number[] = [];
  const look = setInterval(() => lookAt(roots, peaks), 50);
  try {
    const before = counters(options.store);
    const result = await action((pid) => {
      if (pid !== undefined) roots.push(pid);
    });
    const ended = performance.now();
    await flush(options.flush);
    const after = counters(options.store);
    const seconds = (after.at - before.at) / 1000;
    const cpuSeconds = after.children - before.children;
    const storeCpu = after.store - before.store;
    const other = after.machine - before.machine - cpuSeconds - storeCpu - (after.self - before.self);
    return {
      result,
      figures: {
        seconds,
        flushSeconds: (after.at - ended) / 1000,
        cpuSeconds,
        peakMebibytes: [...peaks.values()].reduce((sum, kibibytes) => sum + kibibytes, 0) / 1024,
        readBytes: after.read - before.read,
        writtenBytes: after.written - before.written,
        otherCores: Math.max(0, other / seconds),
        ...(options.store === undefined ? {} : { storeCpuSeconds: storeCpu }),
      },
    };
  } finally {
    clearInterval(look);
  }
}

/** Everything that is dirty on this file system goes to the disk. */
async function flush(path: string): Promise<void> {
  const child = spawn('sync', ['-f', path], { stdio: 'ignore' });
  await once(child, 'close');
}

interface Counters {
  at: number;
  children: number;
  self: number;
  store: number;
  machine: number;
  read: number;
  written: number;
}

function counters(store: number | undefined): Counters {
  const own = statOf('self');
  const io = readFileSync('/proc/self/io', 'utf8');
  const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0);
  const machine = /^cpu +(.*)/.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = machine;
  return {
    at: performance.now(),
    children: own.children,
    self: own.own,
    store: store === undefined ? 0 : statOf(store).own,
    machine: (user + nice + system + irq + softirq + steal) / ticksPerSecond,
    read: count('rchar'),
    written: count('wchar'),
  };
}

/** Linux shows times to programs in hundredths on every architecture. */
const ticksPerSecond = 100;

/** CPU seconds of a process, and of its children that have ended. */
function statOf(pid: number | 'self'): { own: number; children: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const sum = (from: number): number => ((fields[from] ?? 0) + (fields[from + 1] ?? 0)) / ticksPerSecond;
  return { own: sum(11), children: sum(13) };
}

function lookAt(roots: readonly number[], peaks: Map<number, number>): void {
  for (const pid of roots) lookAtTree(pid, peaks);
}

function lookAtTree(pid: number, peaks: Map<number, number>): void {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // The moment between fork and exec shows the bench's own memory; it is not in the peak of the program that follows.
    const kibibytes = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    if (kibibytes > 0) peaks.set(pid, kibibytes);
    for (const task of readdirSync(`/proc/${pid}/task`))
      for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
        if (child !== '') lookAtTree(Number(child), peaks);
  } catch {
    // it has ended; what was seen last stands
  }
}

/** Watches a server that runs through many steps, with its children. */
export function watchTree(pid: number): { cpuSeconds: () => number; peakMebibytes: () => number; stop: () => void } {
  const peaks = new Map<number, number>();
  const look = setInterval(() => lookAtTree(pid, peaks), 100);
  return {
    cpuSeconds: () =>
      [pid, ...peaks.keys()].filter((each, index, all) => all.indexOf(each) === index).reduce((sum, each) => sum + cpuOf(each), 0),
    peakMebibytes: () => [...peaks.values()].reduce((sum, kibibytes) => sum + kibibytes, 0) / 1024,
    stop: () => clearInterval(look),
  };
}

/** 0 when it has ended; its parent, which waited for it, has its seconds then. */
function cpuOf(pid: number): number {
  try {
    const { own, children } = statOf(pid);
    return own + children;
  } catch {
    return 0;
  }
}

/** Bytes and inodes that are free for us on the file system of `path`. */
export function roomAt(path: string): { bytes: number; inodes: number } {
  const { bavail, bsize, ffree } = statfsSync(path);
  return { bytes: bavail * bsize, inodes: ffree };
}
