/**
 * Who uses a round. Each round has a log of entries 0, 1, 2, … that are written once. A copy that builds on the round, and a restore point that names it, add
 * themselves before they do; retention closes the log before it deletes the round. Both write to the first free number by conditional create, so the
 * store puts them in an order, and that order is the whole protocol: docs/adr/0006-retention.md has the proof.
 */
import type { Json } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { useName } from './names.ts';
import { readMark, type Vault, writeOnce } from './vault.ts';

/** `round`: a round that is made from this one. `point`: the hidden name of a restore point. */
export type User = { round: number } | { point: string };

export interface UseLog {
  users: User[];
  /** Nobody can be added any more: the round may be deleted. */
  closed: boolean;
}

const format = { format: 'tranship-use', version: 1 };
const closing = { ...format, nobody: true };

/** Adds a user, once. False when the log is closed: then the round must not be used. */
export async function joinRound(vault: Vault, volumeId: string, round: number, user: User, signal?: AbortSignal): Promise<boolean> {
  for (let index = 0; ; index++) {
    const name = useName(vault.lineage, volumeId, round, index);
    if (await writeOnce(vault, name, { ...format, ...user }, signal)) return true;
    if (isClosing(await readMark(vault, name, signal))) return false;
  }
}

/** The log as it is. `from` saves reading what was read before. */
export async function readUses(vault: Vault, volumeId: string, round: number, signal?: AbortSignal): Promise<UseLog> {
  const users: User[] = [];
  for (let index = 0; ; index++) {
    const entry = await readMark(vault, useName(vault.lineage, volumeId, round, index), signal);
    if (entry === undefined) return { users, closed: false };
    if (isClosing(entry)) return { users, closed: true };
    users.push(userOf(entry));
  }
}

/**
 * Closes the log, unless one of its users is not settled. Users that come while we look are looked at as well.
 * @param settled says of a user that it cannot use the round any more, or is complete without it
 * @returns the user that stands against it, if one does
 */
export async function closeRound(
  vault: Vault,
  volumeId: string,
  round: number,
  settled: (user: User) => Promise<boolean>,
  signal?: AbortSignal,
): Promise<User | undefined> {
  for (let index = 0; ; index++) {
    const name = useName(vault.lineage, volumeId, round, index);
    const entry = await readMark(vault, name, signal);
    if (entry === undefined) {
      if (await writeOnce(vault, name, closing, signal)) return undefined;
      index--; // somebody took the number: look at it
      continue;
    }
    if (isClosing(entry)) return undefined;
    const user = userOf(entry);
    if (!(await settled(user))) return user;
  }
}

function isClosing(entry: Json | undefined): boolean {
  return fieldsOf(entry)['nobody'] === true;
}

function userOf(entry: Json): User {
  const { round, point } = fieldsOf(entry);
  if (typeof round === 'number' && Number.isInteger(round)) return { round };
  if (typeof point === 'string') return { point };
  throw new TranshipError('Integrity', 'The log of who uses a round holds an entry that is not valid.');
}

function fieldsOf(entry: Json | undefined): Record<string, Json> {
  const fields = typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? entry : {};
  if (entry !== undefined && fields['format'] !== format.format)
    throw new TranshipError('Integrity', 'The log of who uses a round holds an entry that is not valid.');
  return fields;
}
