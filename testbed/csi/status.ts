/** Refusals as the CSI spec wants them: a gRPC status with a sentence. Kubernetes' sidecars decide by the code whether to try again. */
import { status } from '@grpc/grpc-js';

export type StatusName =
  | 'ABORTED' // the same thing is being worked on; try again
  | 'ALREADY_EXISTS' // that name or place is taken by something else
  | 'FAILED_PRECONDITION' // not in this state, e.g. still in use
  | 'INTERNAL'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'OUT_OF_RANGE' // a size that cannot be
  | 'RESOURCE_EXHAUSTED' // no room, or not on this node
  | 'UNIMPLEMENTED';

/** One refusal; everything else that is thrown reaches the caller as INTERNAL. */
export class CsiError extends Error {
  readonly status: StatusName;

  /** @example throw new CsiError('NOT_FOUND', 'There is no volume "vol-1".') */
  constructor(name: StatusName, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = 'CsiError';
    this.status = name;
  }
}

/** What goes over the wire for any thrown value. */
export function wireError(error: unknown): { code: number; details: string } {
  if (error instanceof CsiError) return { code: status[error.status], details: error.message };
  return { code: status.INTERNAL, details: error instanceof Error ? error.message : String(error) };
}

/** The value, or INVALID_ARGUMENT when a required field is empty (proto3 sends an unset string as ''). */
export function required(field: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new CsiError('INVALID_ARGUMENT', `The request has no ${field}.`);
  return value;
}
