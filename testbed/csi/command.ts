/**
 * The system's programs (mount, losetup, cp, btrfs ...): found in PATH once, called with an argument list, never through a shell,
 * and only a few at a time, because two cores serve two clusters.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { CsiError } from './status.ts';

const atOnce = 4;
let running = 0;
const waiting: (() => void)[] = [];
const found = new Map<string, string>();

/** A program that ended with another code than 0. */
export class CommandFailed extends CsiError {
  readonly stderr: string;
  readonly exitCode: number | null;

  constructor(program: string, args: string[], exitCode: number | null, stderr: string) {
    const full = /No space left on device|Disk quota exceeded/.test(stderr);
    const said = stderr.trim().slice(-600);
    super(full ? 'RESOURCE_EXHAUSTED' : 'INTERNAL', `${[program, ...args].join(' ')} ended with ${exitCode ?? 'a signal'}: ${said}`);
    this.name = 'CommandFailed';
    this.stderr = stderr;
    this.exitCode = exitCode;
  }
}

/**
 * Runs a program to its end and returns what it printed.
 * @throws CommandFailed when it ends badly, CsiError FAILED_PRECONDITION when it is not installed.
 * @example await run('mount', ['--bind', '--', source, target])
 */
export async function run(program: string, args: string[]): Promise<string> {
  const file = locate(program);
  // A place that becomes free is handed on, so that nobody overtakes.
  if (running < atOnce) running += 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await execute(file, program, args);
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

function execute(file: string, program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
    const out: Buffer[] = [];
    const bad: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => bad.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(new CommandFailed(program, args, code, Buffer.concat(bad).toString()));
    });
  });
}

/** The program's absolute path by PATH; a test bed's unpacked packages come before the system's. */
function locate(program: string): string {
  const known = found.get(program);
  if (known !== undefined) return known;
  for (const directory of (process.env['PATH'] ?? '').split(':')) {
    if (!path.isAbsolute(directory)) continue;
    const file = path.join(directory, program);
    try {
      accessSync(file, constants.X_OK);
    } catch {
      continue;
    }
    found.set(program, file);
    return file;
  }
  throw new CsiError('FAILED_PRECONDITION', `The program ${program} is not in PATH.`);
}
