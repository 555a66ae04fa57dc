import { TranshipError } from '../errors.ts';
import { displayPath } from '../archive/index.ts';
import { errnoOf } from './sys.ts';

/** More paths than this are counted, not listed: a failure must fit into one line of the channel. */
const most = 1000;

/** After one of these no other path can be written either. */
const forAll = /^(ENOSPC|EDQUOT|EROFS)\b/;

/** Paths that could not be carried. The job goes on to find them all, unless it is `hopeless`, then fails. */
export class Problems {
  readonly paths: { path: string; error: string }[] = [];
  count = 0;
  readonly #volume: string;
  #over: string | undefined;

  /** @param volume its name in the archive, for the sentence */
  constructor(volume: string) {
    this.#volume = volume;
  }

  /** @param path '' is the volume's root, or the device */
  add(path: string, error: unknown): void {
    this.count++;
    const reason = reasonOf(error);
    if (forAll.test(reason)) this.#over ??= reason;
    if (this.paths.length < most) this.paths.push({ path: path === '' ? '.' : displayPath(path), error: reason });
  }

  /** True when the volume is full or read-only: a copy stops then, instead of fetching the rest for nothing. */
  get hopeless(): boolean {
    return this.#over !== undefined;
  }

  /** @throws TranshipError Incomplete (NoSpace, Forbidden when that is what it was) with `details.paths` */
  throwIfAny(verb: 'read' | 'written' | 'verified'): void {
    if (this.count === 0) return;
    const first = this.paths[0];
    const paths = this.count === 1 ? '1 path' : `${this.count} paths`;
    const list = `${paths} of volume ${this.#volume} could not be ${verb}; first: ${first?.path ?? ''} (${first?.error ?? ''}).`;
    const details = { paths: this.paths, count: this.count };
    if (this.#over === undefined) throw new TranshipError('Incomplete', list, { details });
    if (this.#over.startsWith('EROFS')) {
      const hint = 'Find out why its storage is mounted read-only, then copy again.';
      throw new TranshipError('Forbidden', `The target volume is read-only. ${list}`, { details, hint });
    }
    const what = this.#over.startsWith('EDQUOT') ? 'The quota of the target volume is used up' : 'The target volume is full';
    const hint = 'Make the target claim larger, then copy again: what is written is used.';
    throw new TranshipError('NoSpace', `${what}. ${list}`, { details, hint });
  }
}

/** Why a path could not be carried, in a few words: the system's error and call, or a sentence. */
export function reasonOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const code = errnoOf(error);
  if (code === '') return error instanceof Error ? error.message : 'unknown error';
  const call = error instanceof Error && 'syscall' in error ? String(error.syscall) : '';
  return call === '' ? code : `${code}: ${call}`;
}
