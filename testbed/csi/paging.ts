/** Lists in pages. Pure. */
import type { ListRequest } from './messages.ts';
import { CsiError } from './status.ts';

/**
 * One page of a list that is sorted by identifier. The token is the last identifier of the page before, so a list that changes between
 * two pages loses nothing that stays.
 * @throws CsiError ABORTED for a token that is not one of ours, as the spec wants it: the caller starts again.
 */
export function page<T extends { id: string }>(all: T[], { max_entries, starting_token }: ListRequest): { items: T[]; next_token: string } {
  if (max_entries < 0) throw new CsiError('INVALID_ARGUMENT', 'max_entries cannot be negative.');
  if (starting_token !== '' && !/^(vol|snap)-[0-9a-f-]{36}$/.test(starting_token)) {
    throw new CsiError('ABORTED', 'The starting token is not one of this driver.');
  }
  const rest = all.filter(({ id }) => id > starting_token);
  const items = max_entries === 0 ? rest : rest.slice(0, max_entries);
  return { items, next_token: items.length < rest.length ? (items.at(-1)?.id ?? '') : '' };
}
