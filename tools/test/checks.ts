/** The checks that are one command each: what it is, and what must be said when it fails. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { nothing, type Outcome } from './outcome.ts';

const root = join(import.meta.dirname, '..', '..');

export interface Check {
  name: string;
  /** Arguments of Node. */
  args: readonly string[];
  cure?: string;
}

export const checks: readonly Check[] = [
  { name: 'format', args: ['node_modules/oxfmt/bin/oxfmt', '--check', '.'], cure: 'make format' },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint', '--type-aware'] },
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'] },
  { name: 'arrows', args: ['tools/arrows.ts'] },
  { name: 'hygiene', args: ['tools/hygiene.ts'] },
  { name: 'lock', args: ['tools/lock.ts', '--check'], cure: 'tools/node tools/lock.ts' },
  { name: 'generated', args: ['tools/generate.ts', '--check'], cure: 'tools/node tools/generate.ts' },
];

/** One check is one test: its output is shown when it fails, its last line when it passes. */
export async function runCheck(check: Check, signal: AbortSignal, print: (line: string) => void): Promise<Outcome> {
  const outcome = nothing();
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...check.args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    timeout: 300_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('close', (exit) => resolve(exit ?? -1));
  });
  if (code === 0) {
    outcome.passed = 1;
    return outcome;
  }
  const cure = check.cure === undefined ? '' : `\nTo mend it: ${check.cure}`;
  print(`${output.trimEnd()}${cure}`);
  outcome.failures.push({ name: check.name, text: `exit code ${code}${cure}` });
  return outcome;
}
