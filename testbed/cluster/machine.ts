/** Changes to the whole machine that all beds share: mount points and settings. Made under the machine's lock. */
import { existsSync, mkdirSync } from 'node:fs';
import { hostDirectories } from '../node/spec.ts';
import { allLedgers, type Ledger } from './ledger.ts';
import { lock } from './lock.ts';
import { prepareSysctls } from './sysctl.ts';

export async function prepareMachine(ledger: Ledger, signal: AbortSignal): Promise<void> {
  const held = await lock('machine', signal);
  try {
    makeMountPoints(ledger);
    prepareSysctls(ledger);
  } finally {
    await held.release();
  }
}

/** A directory that was there before any bed is not ours to remove; one that another bed made is removed by the last that uses it. */
function makeMountPoints(ledger: Ledger): void {
  const ofOthers = new Set(
    allLedgers()
      .filter((other) => other.id !== ledger.id)
      .flatMap((other) => other.read())
      .flatMap((record) => (record.kind === 'shared-directory' ? [record.path] : [])),
  );
  for (const path of Object.values(hostDirectories)) {
    if (existsSync(path) && !ofOthers.has(path)) continue;
    ledger.write({ kind: 'shared-directory', path });
    mkdirSync(path, { recursive: true });
  }
}
