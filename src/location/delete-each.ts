import { codeOf, TranshipError } from '../errors.ts';
import { forEachLimited } from '../parallel.ts';
import type { Refused } from './location.ts';

/** What ends the whole deletion: the next object would fare no better. */
const hopeless = new Set(['Canceled', 'Unreachable', 'Unauthorized', 'Internal']);

/** `deleteMany` for stores without a verb for it: one by one, eight at a time. */
export async function deleteEach(
  names: readonly string[],
  remove: (name: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<Refused[]> {
  const refused: Refused[] = [];
  let stop: unknown;
  await forEachLimited(names, 8, async (name) => {
    if (stop !== undefined) return;
    try {
      signal?.throwIfAborted();
      await remove(name);
    } catch (error) {
      if (error instanceof TranshipError && !hopeless.has(codeOf(error))) refused.push({ name, error });
      else stop ??= error;
    }
  });
  if (stop !== undefined) throw stop;
  return refused;
}
