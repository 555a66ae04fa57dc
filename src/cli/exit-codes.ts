/** What the exit code says. One table: the CLI ends with it, `tranship help exit-codes` prints it, docs/cli.md is made from it. */
import type { Migration } from '../api/migration.ts';
import { codeOf, type ErrorCode } from '../errors.ts';

export const exitCodes = {
  ok: 0,
  failed: 1,
  invalid: 2,
  blocked: 3,
  incomplete: 4,
  undone: 5,
  conflict: 6,
  unavailable: 69,
  internal: 70,
  forbidden: 77,
  interrupted: 130,
} as const;

export const exitCodeTable: readonly { code: number; meaning: string }[] = [
  { code: exitCodes.ok, meaning: 'Done. For migrate: the application runs on the target and its data was verified.' },
  { code: exitCodes.failed, meaning: 'Failed. The message says at which step, and where the application runs now.' },
  { code: exitCodes.invalid, meaning: 'A flag, file or name is wrong. Nothing was changed.' },
  { code: exitCodes.blocked, meaning: 'The plan or assessment has blocking findings. Nothing was changed.' },
  {
    code: exitCodes.incomplete,
    meaning:
      'Some objects or files could not be carried, or deleted; each is listed. For assess: something that could stand against the move is not known.',
  },
  { code: exitCodes.undone, meaning: 'Cancelled or rolled back: the application runs on the source.' },
  { code: exitCodes.conflict, meaning: 'Another process works on this migration, or it exists with other settings.' },
  { code: exitCodes.unavailable, meaning: 'A cluster or the store does not answer.' },
  { code: exitCodes.internal, meaning: 'A defect of tranship. Please report it with the output of -v.' },
  { code: exitCodes.forbidden, meaning: 'A credential is not accepted, or may not do what is needed.' },
  { code: exitCodes.interrupted, meaning: 'Stopped at once, by a second Ctrl-C or a signal; tranship resume goes on.' },
];

const byErrorCode: Readonly<Record<ErrorCode, number>> = {
  InvalidInput: exitCodes.invalid,
  NotFound: exitCodes.invalid,
  Conflict: exitCodes.conflict,
  Forbidden: exitCodes.forbidden,
  Unauthorized: exitCodes.forbidden,
  Unreachable: exitCodes.unavailable,
  Blocked: exitCodes.blocked,
  Unsupported: exitCodes.failed,
  Integrity: exitCodes.failed,
  NoSpace: exitCodes.failed,
  Incomplete: exitCodes.incomplete,
  TimedOut: exitCodes.failed,
  Canceled: exitCodes.interrupted,
  Internal: exitCodes.internal,
};

export function exitCodeOfError(error: unknown): number {
  return byErrorCode[codeOf(error)];
}

/** For a migration that has come to its end; `failed` while it has not. */
export function exitCodeOfMigration(migration: Migration): number {
  const summary = migration.status?.conditions.find((condition) => condition.type === 'Succeeded');
  if (summary?.reason === 'Canceled' || summary?.reason === 'RolledBack') return exitCodes.undone;
  if (summary?.status === 'True') return (migration.status?.failedObjects.length ?? 0) > 0 ? exitCodes.incomplete : exitCodes.ok;
  if (summary?.reason === 'Blocked') return exitCodes.blocked;
  if (summary?.reason === 'Incomplete') return exitCodes.incomplete;
  return exitCodes.failed;
}

/** The table as text: the section of the help pages. */
export function exitCodeHelp(codes?: readonly number[]): string {
  const rows = exitCodeTable.filter((row) => codes === undefined || codes.includes(row.code));
  return rows.map((row) => `  ${String(row.code).padStart(3)}  ${row.meaning}`).join('\n');
}
