/** Other tools, and file systems made with them, for tests; where they cannot be had, the reason to skip. */
import { execFileSync } from 'node:child_process';
import { codeOf, sentenceOf } from '../../errors.ts';
import { refereePrograms } from '../../../testbed/pieces/index.ts';

export interface Referees {
  /** Why they are not there; undefined when they are. */
  reason: string | undefined;
  /** Runs one to its end and returns what it wrote. Throws with its last words. */
  run(program: string, ...args: string[]): string;
}

/** Finds the programs: those of the machine, or the system's packages, unpacked once into the cache (half a minute). */
export async function findReferees(): Promise<Referees> {
  let env: Readonly<Record<string, string>> = {};
  let reason: string | undefined;
  try {
    ({ env } = await refereePrograms({ signal: AbortSignal.timeout(90_000), onProgress: () => {} }));
  } catch (error) {
    if (codeOf(error) !== 'Unsupported' && !(error instanceof Error && error.name === 'TimeoutError')) throw error;
    reason = sentenceOf(error);
  }
  return {
    reason,
    run: (program, ...args) =>
      execFileSync(program, args, {
        env: { ...process.env, LC_ALL: 'C', ...env },
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
  };
}
