import { TranshipError } from '../errors.ts';
import { displayPath } from '../archive/index.ts';
import { errnoOf } from './sys.ts';

/** More paths than this are counted, not listed: a failure must fit into one line of the channel. */
const most = 1000;

/** Paths that could not be carried. The job goes on to find them all, then fails. */
export class Problems {
  readonly paths: { path: string; error: string }[] = [];
  count = 0;

  add(path: string, error: unknown): void {
    this.count++;
    if (this.paths.length < most) this.paths.push({ path: displayPath(path), error: reasonOf(error) });
  }

  /** @throws TranshipError Incomplete (NoSpace when that is what it was) with `details.paths` */
  throwIfAny(verb: string): void {
    if (this.count === 0) return;
    const full = this.paths.some(({ error }) => error.startsWith('ENOSPC') || error.startsWith('EDQUOT'));
    const first = this.paths[0];
    throw new TranshipError(
      full ? 'NoSpace' : 'Incomplete',
      `${this.count} paths could not be ${verb}; first: ${first?.path ?? ''} (${first?.error ?? ''}).`,
      {
        details: { paths: this.paths, count: this.count },
        ...(full ? { hint: 'Make the target volume larger.' } : {}),
      },
    );
  }
}

/** True for errors that concern one path; others (no space, a broken disk, the store) end the job. */
export function reasonOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const code = errnoOf(error);
  if (code === '') return error instanceof Error ? error.message : 'unknown error';
  const call = error instanceof Error && 'syscall' in error ? String(error.syscall) : '';
  return call === '' ? code : `${code}: ${call}`;
}
