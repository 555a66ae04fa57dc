import type { ObjectRef } from './object.ts';

/** `block` stops a migration before anything is touched; `unknown` could not be decided and is shown and counted. */
export type Severity = 'block' | 'warn' | 'info' | 'unknown';

/** Something the user should know before the move. Ids are constants in PascalCase, so that reports can be compared. */
export interface Finding {
  id: string;
  severity: Severity;
  /** The object or thing it is about; absent when it is about a cluster or the job. */
  subject?: ObjectRef;
  /** One sentence: what was seen. */
  message: string;
  /** One sentence: what to do about it. */
  fix?: string;
  /** How it is known: read from the object, asked of the API server, or measured. */
  proof: 'read' | 'asked' | 'measured';
}
