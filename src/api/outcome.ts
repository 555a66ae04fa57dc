import type { ObjectRef } from './object.ts';

/** What became of one planned object. Every step of a plan ends in exactly one of these; nothing is dropped in silence. */
export interface Outcome {
  step: string;
  target: ObjectRef;
  result: 'Created' | 'Updated' | 'Unchanged' | 'Merged' | 'Skipped' | 'Failed';
  /** Constant in PascalCase for Skipped and Failed, e.g. `AlreadyExists`, `AdmissionDenied`. */
  reason?: string;
  message?: string;
  /** SHA-256 of the manifest that was applied: lets a second pass see that nothing changed. */
  manifestHash: string;
}
