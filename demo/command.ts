/** The one command of the demo: written as a user would type it, and run as it is written. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { migrationSchema, type Migration } from '../src/api/migration.ts';
import { TranshipError } from '../src/errors.ts';
import type { Move } from './objects.ts';

const checkout = join(import.meta.dirname, '..');

export interface Run {
  name: string;
  move: Move;
  /** Arguments of ./bin/tranship. */
  args: string[];
}

/**
 * The next run: `demo`, then `demo-2`, … A migration keeps its name in the hub and its place in the store for ever, so each run takes new
 * ones: higher than those the hub knows, and than the last one of this checkout (`.demo/runs`, for users who change their hub).
 */
export async function nextRun(move: Move, bucket: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const file = join(checkout, '.demo', 'runs');
  const known = z.array(z.object({ metadata: z.object({ name: z.string() }) })).parse(await readJson(['status', '-o', 'json'], env));
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const number = nextNumber(
    known.map((migration) => migration.metadata.name),
    last,
  );
  mkdirSync(join(checkout, '.demo'), { recursive: true });
  writeFileSync(file, `${number}\n`);
  return runOf(number === 1 ? 'demo' : `demo-${number}`, move, bucket);
}

/** One more than the highest number among `demo`, `demo-2`, … and `last`. */
export function nextNumber(names: readonly string[], last: number): number {
  const used = names.map((name) => (name === 'demo' ? 1 : Number(/^demo-(\d+)$/.exec(name)?.[1] ?? 0)));
  return Math.max(0, Number.isSafeInteger(last) ? last : 0, ...used) + 1;
}

export function runOf(name: string, move: Move, bucket: string): Run {
  const classes = Object.entries(move.storageClasses).flatMap(([from, to]) => ['--map-storage-class', `${from}=${to}`]);
  const args = ['migrate', '--from', 'source', '--to', 'target', '-n', move.from, '--map-namespace', `${move.from}=${move.to}`, ...classes];
  return { name, move, args: [...args, '--location', `s3://${bucket}/${name}`, '--name', name, '--yes'] };
}

/** The command over a few lines, ready to be pasted. */
export function asTyped(args: readonly string[]): string {
  const lines = ['./bin/tranship'];
  // Where from, where to and what stay on the first line.
  const together = new Set(['--from', '--to', '-n', '--yes']);
  for (const arg of args) {
    if (arg.startsWith('-') && !together.has(arg)) lines.push(arg);
    else lines[lines.length - 1] += ` ${arg}`;
  }
  return lines.join(' \\\n      ');
}

/**
 * Runs ./bin/tranship with its output on our terminal; resolves with its exit code. An abort is passed on as the signal that is its
 * reason; not a Ctrl-C, which a terminal sends to both of us: a second one would keep it from undoing what it began.
 */
export function tranship(args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(checkout, 'bin', 'tranship'), args, {
      cwd: checkout,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const stop = (): void => {
      const interrupted = signal.reason === 'SIGINT';
      if (!interrupted || !process.stdin.isTTY) child.kill(interrupted ? 'SIGINT' : 'SIGTERM');
    };
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', (code, by) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? (by === null ? 1 : 130));
    });
  });
}

/** What Tranship itself reports: `tranship status NAME -o json`. */
export async function readReport(name: string, env: NodeJS.ProcessEnv): Promise<Migration> {
  const parsed = migrationSchema.safeParse(await readJson(['status', name, '-o', 'json'], env));
  if (!parsed.success)
    throw new TranshipError('Internal', `tranship status ${name} -o json did not print a migration.`, { cause: parsed.error });
  return parsed.data;
}

async function readJson(args: readonly string[], env: NodeJS.ProcessEnv): Promise<unknown> {
  const child = spawn(join(checkout, 'bin', 'tranship'), args, {
    cwd: checkout,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = text(child.stdout);
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  return JSON.parse((await printed) || 'null');
}

/** The bed's settings for a shell, as `source .testbed/env` sets them. */
export function readEnv(file: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const match = /^(?:export )?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line.trim());
    if (match?.[1] !== undefined) env[match[1]] = (match[2] ?? '').replaceAll(/^(['"])(.*)\1$/g, '$2');
  }
  return env;
}
