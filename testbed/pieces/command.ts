/** Runs a program to its end: bounded, abortable, its last words kept for the error. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { TranshipError } from '../../src/errors.ts';

export type Command = {
  readonly signal: AbortSignal;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with every line of stdout and stderr. */
  readonly onLine?: (line: string) => void;
};

/** Runs `program` and returns its stdout. Fails with the last lines it wrote when it ends badly; the group dies with the signal. */
export async function run(program: string, args: readonly string[], command: Command): Promise<string> {
  command.signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd: command.cwd,
    env: command.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // Compilers and packers have children of their own: end the whole group.
  const kill = (): void => {
    if (child.pid !== undefined)
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // gone already
      }
  };
  command.signal.addEventListener('abort', kill, { once: true });
  const out: string[] = [];
  const last: string[] = [];
  const note = (line: string): void => {
    command.onLine?.(line);
    last.push(line);
    if (last.length > 12) last.shift();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    out.push(line);
    note(line);
  });
  createInterface({ input: child.stderr }).on('line', note);
  try {
    const end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal ?? -1));
    });
    command.signal.throwIfAborted();
    if (end !== 0)
      throw new TranshipError('Internal', `${program} ${args[0] ?? ''} ended with ${end}:\n${last.join('\n')}`, { details: { args, end } });
    return out.join('\n');
  } finally {
    command.signal.removeEventListener('abort', kill);
  }
}
