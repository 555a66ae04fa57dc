/** Ending a bed. */
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import { bedId } from './addresses.ts';
import { bedDirectory, bedName, checkoutPath } from './bed.ts';
import { removeLogs } from './files.ts';
import { leftovers } from './leftovers.ts';
import { allLedgers, headerOf, Ledger } from './ledger.ts';
import { lock } from './lock.ts';
import type { DownOptions } from './options.ts';
import { cleanStale } from './stale.ts';
import { undo } from './undo.ts';

/**
 * Ends the bed of this checkout, kept light beds of this checkout, and what is left of beds that cannot run any more. Nothing there is fine.
 * Light beds that belong to a living process are left to it.
 */
export async function down({ signal, onProgress }: DownOptions): Promise<void> {
  const checkout = checkoutPath();
  const name = bedName();
  const own = bedId(checkout, name);
  const directory = bedDirectory(checkout, name);
  const held = await lock(own, signal, () => onProgress('waiting: another up or down of this test bed is at work'));
  try {
    const kept = allLedgers().filter((ledger) => {
      const header = headerOf(ledger.read());
      return header?.level === 'light' && !header.owned && header.checkout === checkout && header.name === name;
    });
    for (const ledger of [new Ledger(own), ...kept]) {
      if (ledger.read().length === 0) continue;
      onProgress(`ending test bed ${ledger.id}`);
      await undo(ledger, signal);
    }
    await removeLogs(directory);
    for (const path of ['light', 'named', '.']) await rmdir(join(directory, path)).catch(() => undefined); // where they are empty
    const left = leftovers(own, join(directory, 'state'));
    if (left.length > 0) {
      throw new TranshipError('Incomplete', `Of the test bed is still there: ${left.join('; ')}.`, { hint: 'Call down once more.' });
    }
  } finally {
    await held.release();
  }
  await cleanStale(signal, onProgress);
}
