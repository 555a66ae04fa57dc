/**
 * Runs one test file in a process of its own and says what came out. The process leads its own group: when the time is over, or the
 * user stops, everything it started ends with it.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { nothing, type Outcome } from './outcome.ts';
import type { TestLine } from './reporter.ts';

const root = join(import.meta.dirname, '..', '..');

export interface FileOptions {
  timeoutMs: number;
  env: Record<string, string>;
  signal: AbortSignal;
  /** Called for every test as it ends, with its depth. */
  onTest?: (line: TestLine) => void;
}

/** Never throws: whatever goes wrong is a failure in the outcome. */
export async function runFile(file: string, options: FileOptions): Promise<Outcome> {
  const outcome = nothing();
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      `--test-reporter=${join(import.meta.dirname, 'reporter.ts')}`,
      '--test-reporter-destination=stdout',
      file,
    ],
    { cwd: root, env: childEnv(options.env), stdio: ['ignore', 'pipe', 'pipe', 'pipe'], detached: true },
  );
  const output = tail(child.stdout as Readable, child.stderr as Readable);
  const read = readLines(child.stdio[3] as Readable, file, outcome, options.onTest);

  let late = false;
  let gone: Promise<void> | undefined;
  const kill = () => (gone ??= endGroup(child.pid));
  const timer = setTimeout(() => {
    late = true;
    void kill();
  }, options.timeoutMs);
  const onAbort = () => void kill();
  options.signal.addEventListener('abort', onAbort, { once: true });
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('error', () => resolve({ code: -1, signal: null }));
    child.on('exit', (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
  });
  clearTimeout(timer);
  options.signal.removeEventListener('abort', onAbort);
  // What the file left running is ended too, before the next file may meet it.
  await kill();
  const openTest = await read;

  const said = output();
  if (options.signal.aborted) outcome.failures.push({ name: file, text: 'stopped by the user' });
  else if (late) {
    const where = openTest === undefined ? 'after its last test: something it opened was not closed' : `in the test "${openTest}"`;
    outcome.failures.push({ name: file, text: `did not end within ${options.timeoutMs / 1000} s, ${where}\n${said}` });
  } else if (code !== 0 && outcome.failures.length === 0) {
    outcome.failures.push({
      name: file,
      text: `ended with ${code === null ? String(signal) : `exit code ${code}`} and no failed test\n${said}`,
    });
  } else if (outcome.passed + outcome.failures.length + outcome.skips.length === 0) {
    outcome.failures.push({ name: file, text: 'holds no tests' });
  } else if (outcome.failures.length > 0 && said !== '') {
    const last = outcome.failures.at(-1);
    if (last !== undefined) last.text += `\n── output of the file\n${said}`;
  }
  return outcome;
}

function childEnv(more: Record<string, string>): NodeJS.ProcessEnv {
  const env = { ...process.env, ...more };
  // A runner inside a runner would report to the outer one.
  delete env['NODE_TEST_CONTEXT'];
  return env;
}

/** Reads events to the end of the pipe; returns the name of a test that began and did not end. */
async function readLines(pipe: Readable, file: string, outcome: Outcome, onTest: FileOptions['onTest']): Promise<string | undefined> {
  const path: string[] = [];
  const running = new Map<string, string>();
  for await (const text of createInterface({ input: pipe })) {
    if (text.trim() === '') continue;
    const line = JSON.parse(text) as TestLine;
    const key = `${line.nesting} ${line.name}`;
    if (line.type === 'begin') running.set(key, line.name);
    else if (line.type === 'start') path[line.nesting] = line.name;
    else {
      running.delete(key);
      record(line, [file, ...path.slice(0, line.nesting), line.name].join(' › '), outcome);
      onTest?.(line);
    }
  }
  return [...running.values()].at(-1);
}

function record(line: TestLine, name: string, outcome: Outcome): void {
  if (line.skip !== undefined) outcome.skips.push({ name, reason: line.skip === '' ? 'no reason given' : line.skip });
  else if (line.todo !== undefined) outcome.skips.push({ name, reason: `not finished: ${line.todo}` });
  else if (line.type === 'fail') {
    if (line.failureType !== 'subtestsFailed') outcome.failures.push({ name, text: line.text ?? '' });
  } else if (!line.suite) outcome.passed += 1;
}

/** Keeps the last lines of both outputs, for messages. */
function tail(...streams: Readable[]): () => string {
  const kept: string[] = [];
  for (const stream of streams) {
    createInterface({ input: stream }).on('line', (line) => {
      kept.push(line);
      if (kept.length > 60) kept.shift();
    });
  }
  return () => kept.join('\n');
}

/** TERM for the whole group, KILL for what is still there ten seconds later; returns when it is gone. */
async function endGroup(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  const deadline = performance.now() + 10_000;
  for (let name: NodeJS.Signals | 0 = 'SIGTERM'; signalGroup(pid, name); name = performance.now() > deadline ? 'SIGKILL' : 0) {
    // A zombie that nobody reaps cannot be ended, and needs not to be.
    if (performance.now() > deadline + 2_000) return;
    await pause(20);
  }
}

/** False when nobody of the group is left. Signal 0 only asks. */
function signalGroup(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, name);
  } catch {
    return false;
  }
}
