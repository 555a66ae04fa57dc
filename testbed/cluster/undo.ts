/**
 * Takes back every effect that a ledger names. Each step looks first whether its effect is there, so it may be killed and repeated, and
 * effects that were written down but never made do no harm.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TranshipError } from '../../src/errors.ts';
import { detachAll } from '../csi/index.ts';
import { detachInside } from './hidden-loops.ts';
import { allLedgers, headerOf, type Effect, type Ledger, type LedgerRecord, type ProcessId } from './ledger.ts';
import { lock } from './lock.ts';
import { bootId, childrenOf, gone, isAlive, kill, startTimeOf } from './process.ts';

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

/** Undoes everything and removes the ledger. */
export async function undo(ledger: Ledger, signal: AbortSignal): Promise<void> {
  for (;;) {
    const before = ledger.read();
    await undoRecords(ledger, before, signal);
    // A starter killed a moment ago may have left a process that wrote its record while we were at work.
    if (ledger.read().length === before.length) break;
  }
  ledger.remove();
}

async function undoRecords(ledger: Ledger, records: readonly LedgerRecord[], signal: AbortSignal): Promise<void> {
  const all = <Kind extends Effect['kind']>(kind: Kind): Of<Kind>[] => records.filter((record): record is Of<Kind> => record.kind === kind);
  const sameBoot = headerOf(records)?.boot === bootId();
  for (const { name } of all('kind-cluster')) {
    // Its own kubeconfig, so that kind does not look for contexts in the user's.
    spawnSync('kind', ['delete', 'cluster', '--name', name, '--kubeconfig', join(ledger.directory, 'kind')], { stdio: 'ignore' });
  }
  if (sameBoot) await endProcesses(all('process'));
  const busy: string[] = [];
  for (const { path } of all('loops')) busy.push(...(await freeLoops(ledger, path)));
  for (const { name } of all('link').toReversed()) spawnSync('ip', ['link', 'delete', name], { stdio: 'ignore' });
  for (const { path } of all('cgroup')) await removeCgroup(path);
  await giveBackMachine(
    ledger,
    all('shared-directory').map((effect) => effect.path),
    sameBoot ? all('sysctl') : [],
    signal,
  );
  // Not before everything else that can go is gone; the state stays, because it tells whose the devices are.
  if (busy.length > 0) throw new TranshipError('Conflict', `Loop devices of the test bed are held open: ${busy.join(', ')}.`);
  for (const { path } of all('path').toReversed()) rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/**
 * A node's recorded process is `unshare`, whose child is the first process of the node's own process namespace: killing it makes the kernel
 * kill everything in there. Children are taken before their parents so that no moment exists in which they have nobody.
 */
async function endProcesses(processes: readonly ProcessId[]): Promise<void> {
  const alive = processes.filter(isAlive);
  const children = alive.flatMap((parent) =>
    childrenOf(parent.pid).map((pid): ProcessId => ({ pid, started: startTimeOf(pid) ?? 'gone' })),
  );
  for (const id of [...children, ...alive]) kill(id);
  await gone([...children, ...alive]);
}

/** Returns the devices that somebody still holds. */
async function freeLoops(ledger: Ledger, path: string): Promise<string[]> {
  const { busy } = await detachAll(path, existsSync(path) ? 5000 : 500);
  if (busy.length === 0) return [];
  detachInside(busy, ledger.directory);
  return (await detachAll(path)).busy;
}

/** Depth first, with patience: the kernel empties groups of killed processes a little later. */
async function removeCgroup(path: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (removeGroupTree(path)) return;
    await delay(50);
  }
}

function removeGroupTree(path: string): boolean {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return true;
  }
  let empty = true;
  for (const entry of entries) if (entry.isDirectory()) empty = removeGroupTree(join(path, entry.name)) && empty;
  try {
    killMembers(path);
    rmdirSync(path);
    return empty;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** A group that we made holds only processes of the bed; a launcher killed between its steps may have left one in there. */
function killMembers(path: string): void {
  let members: string;
  try {
    members = readFileSync(join(path, 'cgroup.procs'), 'utf8');
  } catch {
    return;
  }
  for (const pid of members.split('\n').filter(Boolean).map(Number)) {
    const started = startTimeOf(pid);
    if (pid === process.pid) writeFileSync(join(path, '..', 'cgroup.procs'), '0');
    else if (started !== undefined) kill({ pid, started });
  }
}

/**
 * Removing a directory that is a mount point in another mount namespace takes that mount away (Linux 3.18 and later), so the mount points
 * stay while any other bed uses them; the same for settings.
 */
async function giveBackMachine(
  ledger: Ledger,
  paths: readonly string[],
  sysctls: readonly Of<'sysctl'>[],
  signal: AbortSignal,
): Promise<void> {
  if (paths.length === 0 && sysctls.length === 0) return;
  const held = await lock('machine', signal);
  try {
    const used = new Set(
      allLedgers()
        .filter((other) => other.id !== ledger.id)
        .flatMap((other) => other.read())
        .flatMap((record) => (record.kind === 'shared-directory' || record.kind === 'sysctl' ? [record.path] : [])),
    );
    for (const path of paths.toReversed()) if (!used.has(path)) attempt(() => rmdirSync(path)); // not empty: somebody else's
    for (const { path, old } of sysctls) if (!used.has(path)) attempt(() => writeFileSync(path, old));
  } finally {
    await held.release();
  }
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    return;
  }
}
