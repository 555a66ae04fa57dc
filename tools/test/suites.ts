/** The levels that run test files: which files, how many at once, how long each may take, and with what in the environment. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { runFile } from './file.ts';
import { add, nothing, type Outcome } from './outcome.ts';

const root = join(import.meta.dirname, '..', '..');

export interface Suite {
  name: 'unit' | 'control' | 'e2e';
  concurrency: number;
  /** For one file: only against what hangs, so it is far above what the slowest machine needs. */
  timeoutMs: number;
}

export const suites: readonly Suite[] = [
  { name: 'unit', concurrency: 2, timeoutMs: 600_000 },
  { name: 'control', concurrency: 1, timeoutMs: 900_000 },
  { name: 'e2e', concurrency: 1, timeoutMs: 1_800_000 },
];

/** Test files of a level, by their names: `*.control.test.ts` need API servers; `*.nodes.test.ts` and the rest of e2e/ need nodes. */
export function filesOf(suite: Suite['name'], filter: string | undefined): string[] {
  const all = globSync('{src,testbed,tools,demo,bench,e2e}/**/*.test.ts', { cwd: root });
  const level = (file: string) => {
    if (file.endsWith('.control.test.ts')) return 'control';
    return file.startsWith('e2e/') || file.endsWith('.nodes.test.ts') ? 'e2e' : 'unit';
  };
  return all.filter((file) => level(file) === suite && (filter === undefined || file.includes(filter))).toSorted();
}

export interface SuiteRun {
  files: readonly string[];
  env: Record<string, string>;
  signal: AbortSignal;
  print: (line: string) => void;
}

/** Runs the files of a suite, printing one line per file as it ends, and in the slow levels one per test. */
export async function runSuite(suite: Suite, run: SuiteRun): Promise<Outcome> {
  const sum = nothing();
  const queue = [...run.files];
  const running = new Map<string, number>();
  const heartbeat = setInterval(() => {
    for (const [file, since] of running) {
      const seconds = Math.round((performance.now() - since) / 1000);
      if (seconds >= 30) run.print(`  … ${file} runs since ${seconds} s`);
    }
  }, 30_000);
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined && !run.signal.aborted; file = queue.shift()) {
      const started = performance.now();
      running.set(file, started);
      const onTest =
        suite.name === 'unit'
          ? undefined
          : (line: { nesting: number; name: string; type: string; skip?: string }) => {
              const mark = line.skip !== undefined ? '-' : line.type === 'pass' ? '✓' : '✗';
              run.print(`    ${'  '.repeat(line.nesting)}${mark} ${line.name}`);
            };
      const outcome = await runFile(file, {
        timeoutMs: suite.timeoutMs,
        env: run.env,
        signal: run.signal,
        ...(onTest === undefined ? {} : { onTest }),
      });
      running.delete(file);
      add(sum, outcome);
      run.print(fileLine(file, outcome, performance.now() - started));
      for (const failure of outcome.failures) run.print(indent(`${failure.name}\n${failure.text}`, '      '));
    }
  };
  await Promise.all(Array.from({ length: suite.concurrency }, worker));
  clearInterval(heartbeat);
  return sum;
}

function fileLine(file: string, outcome: Outcome, ms: number): string {
  const parts = [`${outcome.passed} passed`];
  if (outcome.failures.length > 0) parts.push(`${outcome.failures.length} failed`);
  if (outcome.skips.length > 0) parts.push(`${outcome.skips.length} skipped`);
  return `  ${outcome.failures.length > 0 ? '✗' : '✓'} ${file}  ${parts.join(', ')}  ${(ms / 1000).toFixed(1)} s`;
}

export function indent(text: string, by: string): string {
  return text.replaceAll(/^/gm, by);
}
