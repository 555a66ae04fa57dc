/**
 * What went wrong, in the form a user can act on: a code that scripts can read, one sentence, a hint that names the cure.
 *
 * The CLI prints sentence and hint; `-v` adds the cause chain. Messages never hold secrets: callers name things, not values.
 */
export type ErrorCode =
  | 'InvalidInput' // a flag, field or file is wrong; nothing was changed
  | 'NotFound' // something the user named does not exist
  | 'Conflict' // something is already there, or changed under us
  | 'Forbidden' // our credential may not do this
  | 'Unauthorized' // our credential is not accepted
  | 'Unreachable' // cluster or store does not answer
  | 'Blocked' // the plan has blocking findings; nothing was changed
  | 'Unsupported' // this cluster, driver or file system cannot do it
  | 'Integrity' // bytes are not what they must be
  | 'NoSpace' // a volume, disk or store is full
  | 'Incomplete' // some paths or objects could not be carried
  | 'TimedOut' // a bounded wait ended
  | 'Canceled' // the user asked to stop
  | 'Internal'; // a defect of ours

export class TranshipError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Facts for reports: path lists, statuses. Never secrets. */
  readonly details: unknown;

  /**
   * @example throw new TranshipError('NotFound', 'Context "old" is not in the kubeconfig.', { hint: 'Known contexts: a, b.' });
   */
  constructor(code: ErrorCode, sentence: string, more: { hint?: string; cause?: unknown; details?: unknown } = {}) {
    super(sentence, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'TranshipError';
    this.code = code;
    this.hint = more.hint;
    this.details = more.details;
  }
}

/** The code of any thrown value: ours, `Canceled` for an abort, `Internal` for everything unknown. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof TranshipError) return error.code;
  if (error instanceof Error && error.name === 'AbortError') return 'Canceled';
  return 'Internal';
}

/** One line for people: the sentence and, when there is one, the cure. */
export function sentenceOf(error: unknown): string {
  if (error instanceof TranshipError) return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}
