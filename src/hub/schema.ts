/** The file of the embedded hub: how it is made, opened and recognised; and its errors as sentences. */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TranshipError } from '../errors.ts';

/** "trnh": lets us (and file(1)) tell a hub from any other SQLite file. */
const APPLICATION_ID = 0x74726e68;
const VERSION = 1;
/** How long a write waits for another process. Writes take milliseconds; longer means that somebody is stuck. */
const BUSY_MS = 5_000;

const TABLES = `
CREATE TABLE counter (one INTEGER PRIMARY KEY CHECK (one = 1), value INTEGER NOT NULL);
INSERT INTO counter VALUES (1, 0);
CREATE TABLE objects (
  kind TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  uid TEXT NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, namespace, name)
) WITHOUT ROWID;
`;

/** $TRANSHIP_HUB, else tranship/hub.db below $XDG_STATE_HOME, else below ~/.local/state. */
export function defaultHubFile(env: NodeJS.ProcessEnv = process.env): string {
  if (env.TRANSHIP_HUB) return env.TRANSHIP_HUB;
  const state = env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state');
  return join(state, 'tranship', 'hub.db');
}

/** Opens the file, creating it (0600, in a directory 0700) and its tables when they are not there. */
export function openHubFile(file: string): DatabaseSync {
  return explained(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Made by us before SQLite sees it: it holds Secrets, and -wal and -shm take over its mode.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    const db = new DatabaseSync(file, { timeout: BUSY_MS });
    try {
      prepare(db, file);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function prepare(db: DatabaseSync, file: string): void {
  db.exec('PRAGMA journal_mode = WAL');
  // What we are about to do outside is written here first, so it must survive a power cut, which NORMAL does not promise.
  db.exec('PRAGMA synchronous = FULL');
  inTransaction(db, () => {
    const version = pragma(db, 'user_version');
    const id = pragma(db, 'application_id');
    if (version === 0 && id === 0 && pragma(db, 'schema_version') === 0) {
      db.exec(TABLES);
      db.exec(`PRAGMA user_version = ${VERSION}`);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    } else if (id !== APPLICATION_ID) {
      throw new TranshipError('InvalidInput', `${file} is an SQLite file, but not a Tranship hub.`, {
        hint: 'Name another file with TRANSHIP_HUB.',
      });
    } else if (version > VERSION) {
      throw new TranshipError(
        'Unsupported',
        `The hub ${file} was written by a newer Tranship (format ${version}, this one knows ${VERSION}).`,
        {
          hint: 'Update this Tranship, or name another file with TRANSHIP_HUB.',
        },
      );
    }
  });
  const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (check !== 'ok') throw corrupt(file, undefined);
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Runs `work` in one write transaction; rolls back when it throws. */
export function inTransaction<Result>(db: DatabaseSync, work: () => Result): Result {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk may have rolled back already.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Runs `work` and turns errors of SQLite and of the file system into sentences. */
export function explained<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw sentenceFor(file, error);
  }
}

const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

function sentenceFor(file: string, error: unknown): unknown {
  if (error instanceof TranshipError || !(error instanceof Error)) return error;
  const code = 'code' in error ? error.code : undefined;
  // Extended result codes keep the plain one in the low byte.
  const sqlite = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
  if (sqlite === SQLITE_CORRUPT || sqlite === SQLITE_NOTADB) return corrupt(file, error);
  if (sqlite === SQLITE_FULL || code === 'ENOSPC' || code === 'EDQUOT') {
    return new TranshipError('NoSpace', `The disk of the hub ${file} is full; nothing of this change was written.`, { cause: error });
  }
  if (sqlite === SQLITE_BUSY) {
    return new TranshipError('Conflict', `Another process has held the hub ${file} for more than ${BUSY_MS / 1000} s.`, { cause: error });
  }
  if (sqlite === SQLITE_READONLY || code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new TranshipError('Forbidden', `The hub ${file} cannot be written.`, {
      hint: 'Name another file with TRANSHIP_HUB.',
      cause: error,
    });
  }
  if (sqlite !== undefined || code !== undefined)
    return new TranshipError('Internal', `The hub ${file} cannot be used: ${error.message}.`, { cause: error });
  return error;
}

function corrupt(file: string, cause: unknown): TranshipError {
  return new TranshipError('Integrity', `The hub ${file} is damaged or is not an SQLite file.`, {
    hint: 'Move it away and start again: what was moved already is found on the clusters by its labels.',
    cause,
  });
}
