/** Runs a bounded number of things at once. */

/**
 * Calls `work` for every item, at most `limit` at a time, and waits for all, also when one fails.
 * @throws the first error, after everything has ended: nothing is left running behind the caller's back
 */
export async function forEachLimited<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      try {
        await work(item);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
}
