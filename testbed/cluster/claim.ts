/** Takes a share of the machine (address range, ports) for a new bed and begins its ledger, under a lock of the whole machine. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { TranshipError } from '../../src/errors.ts';
import { candidatePorts, candidateRanges, freeRange, portsPerBed } from './addresses.ts';
import { allLedgers, headerOf, Ledger, type Header } from './ledger.ts';
import { lock } from './lock.ts';
import { bootId, ownProcess } from './process.ts';

export type Claim = { readonly ledger: Ledger; readonly header: Header };
export type ClaimNeed = Pick<Header, 'id' | 'level' | 'checkout' | 'name' | 'owned'>;

export async function claim(need: ClaimNeed, signal: AbortSignal): Promise<Claim> {
  const held = await lock('machine', signal);
  try {
    const others = allLedgers().flatMap((ledger) => headerOf(ledger.read()) ?? []);
    const ranges = need.level === 'light' ? [] : [claimRange(need.id, others)];
    const header: Header = {
      kind: 'bed',
      ...need,
      boot: bootId(),
      launcher: ownProcess(),
      ranges,
      firstPort: need.level === 'light' ? await claimPorts(need.id, others) : 0,
    };
    const ledger = new Ledger(need.id);
    ledger.begin(header);
    return { ledger, header };
  } finally {
    await held.release();
  }
}

function claimRange(id: string, others: readonly Header[]): string {
  const taken = [...others.flatMap((other) => other.ranges), ...routedRanges()];
  const range = freeRange(candidateRanges(id), taken);
  if (range === undefined) {
    throw new TranshipError('Unsupported', 'No private address range is free on this machine for the clusters of a test bed.', {
      hint: 'Look at `ip route`: routes for 10.96.0.0/13, 198.18.0.0/15 and 172.24.0.0/14 exist. `light` works without addresses.',
    });
  }
  return range;
}

async function claimPorts(id: string, others: readonly Header[]): Promise<number> {
  const taken = new Set(others.map((other) => other.firstPort));
  for (const first of candidatePorts(id.slice(0, 6))) {
    if (taken.has(first)) continue;
    const free = await Promise.all(Array.from({ length: portsPerBed }, (_, step) => isFree(first + step)));
    if (free.every(Boolean)) return first;
  }
  throw new TranshipError('Unsupported', 'No block of 32 free ports was found between 21000 and 30599.');
}

/** Destinations of all IPv4 routes, the machine's own addresses among them. Empty where `ip` is missing: light beds need none. */
function routedRanges(): string[] {
  const answer = spawnSync('ip', ['-j', '-4', 'route', 'show', 'table', 'all'], { encoding: 'utf8' });
  if (answer.status !== 0) return [];
  const routes = JSON.parse(answer.stdout) as { dst: string }[];
  return routes.map((route) => route.dst).filter((destination) => /^[0-9.]+(\/\d+)?$/.test(destination));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
