import { comparePaths } from '../archive/index.ts';
import type { Cursor } from './cursor.ts';

/** Goes through sorted streams together: each path once, with the entry of every stream that has it. */
export async function* merge<A extends { path: string }, B extends { path: string }>(
  first: Cursor<A>,
  others: Cursor<B>[],
): AsyncGenerator<{ path: string; first: A | undefined; others: (B | undefined)[] }> {
  for (;;) {
    const heads = [await first.peek(), ...(await Promise.all(others.map(async (other) => await other.peek())))];
    let path: string | undefined;
    for (const head of heads) if (head !== undefined && (path === undefined || comparePaths(head.path, path) < 0)) path = head.path;
    if (path === undefined) return;
    const at = path;
    const taken = async <T extends { path: string }>(cursor: Cursor<T>): Promise<T | undefined> =>
      (await cursor.peek())?.path === at ? await cursor.take() : undefined;
    const mine = await taken(first);
    const rest: (B | undefined)[] = [];
    for (const other of others) rest.push(await taken(other));
    yield { path, first: mine, others: rest };
  }
}
