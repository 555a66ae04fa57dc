/**
 * Settings of the whole machine that a node changes: two that it needs, and those that every kubelet sets without asking. The old values go
 * into the ledger; the last bed of the machine puts them back.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { allLedgers, type Ledger } from './ledger.ts';

const raised: Readonly<Record<string, number>> = {
  '/proc/sys/fs/inotify/max_user_instances': 1024,
  '/proc/sys/fs/inotify/max_user_watches': 524_288,
};

const setByKubelet = [
  '/proc/sys/vm/overcommit_memory',
  '/proc/sys/vm/panic_on_oom',
  '/proc/sys/kernel/panic',
  '/proc/sys/kernel/panic_on_oops',
  '/proc/sys/kernel/keys/root_maxkeys',
  '/proc/sys/kernel/keys/root_maxbytes',
];

/** Call under the machine's lock: another bed's record holds the value from before any bed. */
export function prepareSysctls(ledger: Ledger): void {
  const others = allLedgers()
    .filter((other) => other.id !== ledger.id)
    .flatMap((other) => other.read())
    .flatMap((record) => (record.kind === 'sysctl' ? [record] : []));
  for (const path of [...Object.keys(raised), ...setByKubelet]) {
    const old = others.find((other) => other.path === path)?.old ?? readValue(path);
    if (old !== undefined) ledger.write({ kind: 'sysctl', path, old });
  }
  for (const [path, least] of Object.entries(raised)) {
    if (Number(readValue(path) ?? least) < least) writeFileSync(path, String(least));
  }
}

export function readValue(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
