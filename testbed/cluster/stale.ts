/** Finds beds that cannot be of use to anybody any more, of this and of other checkouts, and removes what is left of them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sentenceOf } from '../../src/errors.ts';
import { allLedgers, headerOf, type Ledger, type LedgerRecord } from './ledger.ts';
import { lock, tryLock } from './lock.ts';
import type { Progress } from './options.ts';
import { bootId, isAlive } from './process.ts';
import { undo } from './undo.ts';

/** Why a bed is stale, as the end of a sentence, or undefined when it is alive. Looks at the machine, changes nothing. */
export function whyStale(records: readonly LedgerRecord[]): string | undefined {
  const header = headerOf(records);
  if (header === undefined) return 'it was never begun';
  if (header.boot !== bootId()) return 'the machine was started again';
  // Programs of a living bed go on writing below `.testbed`, so the directory itself often survives its deletion.
  if (!existsSync(join(header.checkout, 'testbed', 'main.ts'))) return `its checkout ${header.checkout} is gone`;
  const launcherLives = isAlive(header.launcher);
  if (header.owned) return launcherLives ? undefined : 'the process it belonged to ended';
  if (!records.some((record) => record.kind === 'ready')) return launcherLives ? undefined : 'its start was interrupted';
  const dead = records.find((record) => record.kind === 'process' && mustLive(record.what) && !isAlive(record));
  return dead === undefined ? undefined : `its ${dead.kind === 'process' ? dead.what : ''} ended`;
}

/** Nodes are judged by their first process; what runs inside may be stopped for a test of faults. */
function mustLive(what: string): boolean {
  return what.startsWith('node-') || what === 'etcd';
}

/** Beds that are being started or ended right now hold their lock and are left alone. */
export async function cleanStale(signal: AbortSignal, onProgress: Progress): Promise<void> {
  for (const ledger of allLedgers()) {
    if (whyStale(ledger.read()) !== undefined) await cleanOne(ledger, signal, onProgress);
  }
}

async function cleanOne(ledger: Ledger, signal: AbortSignal, onProgress: Progress): Promise<void> {
  // A ledger without header may be one that is being written this moment: its writer holds the machine's lock.
  await (await lock('machine', signal)).release();
  const held = await tryLock(ledger.id);
  if (held === undefined) return;
  try {
    const why = whyStale(ledger.read());
    if (why === undefined) return;
    onProgress(`cleaning up test bed ${ledger.id}: ${why}`);
    await undo(ledger, signal);
  } catch (error) {
    // Somebody else's remains must not keep this bed from its work; the ledger stays for the next try.
    signal.throwIfAborted();
    onProgress(`test bed ${ledger.id} could not be cleaned up fully: ${sentenceOf(error)}`);
  } finally {
    await held.release();
  }
}
