/** What every tool in the comparison must be able to do, ours like the others. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { TranshipError } from '../../src/errors.ts';

export type Store =
  | { kind: 'directory'; path: string }
  | { kind: 's3'; endpoint: string; region: string; bucket: string; prefix: string; accessKeyId: string; secretAccessKey: string };

export interface Place {
  /** The tool's own files: configuration, caches. */
  scratch: string;
  store: Store;
  source: string;
  target: string;
}

export interface Running {
  signal: AbortSignal;
  /** Every process that takes part is told as it starts. */
  started: (pid: number | undefined) => void;
}

/** What a tool itself says about a step; ours counts what it writes and reads. */
export interface Said {
  /** Bytes written to the target. */
  targetWritten: number;
  /** Bytes read from the target, without reading back what was just written. */
  targetRead: number;
  /** Of the bytes that passed its read calls: from the store, and to read back what was written. */
  explainedReads: number;
}

export type Step = (running: Running) => Promise<Said | undefined>;

export interface Session {
  /** Round 0 is everything, round n what changed since n - 1. Absent for a tool without a store. */
  backup?(round: number): Step;
  /** Into an empty target. */
  restore?(): Step;
  /** As users get it when it differs from `restore`: with everything read back. */
  restoreVerified?(): Step;
  /** Brings a target that holds round n - 1 to round n. */
  apply?(round: number): Step;
}

export interface Tool {
  /** `ours-2`, `restic`, `restic-off`: the key of its figures. */
  id: string;
  /** For people. */
  label: string;
  /** Measured in one repetition only: a peer with another setting than its defaults. */
  variant?: boolean;
  /** Makes an empty store; not measured. */
  open(place: Place, running: Running): Promise<Session>;
}

export interface CommandOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
}

/** A step that is one command. Fails with its last words. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Step {
  return async ({ signal, started }) => {
    signal.throwIfAborted();
    const child = spawn(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'ignore', 'pipe'] });
    started(child.pid);
    const kill = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
    try {
      const [code, by] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      signal.throwIfAborted();
      if (code !== 0)
        throw new TranshipError(
          'Internal',
          `${program} ${args[0] ?? ''} ended with ${code ?? by}: ${said.trim().split('\n').slice(-5).join('\n')}`,
        );
      return undefined;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  };
}
