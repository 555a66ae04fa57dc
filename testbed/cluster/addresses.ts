/**
 * Names, addresses and ports of a bed. They follow from the checkout's path, so a bed finds itself again, and move on when something on
 * the machine already has them. Pure.
 */
import { createHash } from 'node:crypto';
import type { ClusterName } from './bed.ts';

/** Every bed has one /20 for itself, so one comparison with the machine's routes tells whether it is free. */
const pools: readonly { readonly first: string; readonly blocks: number }[] = [
  { first: '10.96.0.0', blocks: 128 },
  // For machines whose VPN routes all of 10.0.0.0/8: the range set aside for measurements (RFC 2544).
  { first: '198.18.0.0', blocks: 32 },
  { first: '172.24.0.0', blocks: 64 },
];

export const portsPerBed = 32;
/** Below the ports that Linux gives to outgoing connections (32768 and up). */
const portBlocks = { first: 21_000, count: 300 };

/** Six hex digits: short enough for a network interface's 15 characters. */
export function bedId(checkout: string, name: string): string {
  return createHash('sha256').update(`${checkout}\0${name}`).digest('hex').slice(0, 6);
}

export type NodeAddresses = {
  readonly address: string;
  readonly podRange: string;
  readonly serviceRange: string;
  readonly dns: string;
  readonly firstService: string;
};

export type BedAddresses = {
  /** The whole /20. */
  readonly range: string;
  readonly bridge: string;
  /** Of the bridge, on this machine; the S3 server listens there. */
  readonly gateway: string;
  readonly prefixLength: number;
  readonly nodes: Readonly<Record<ClusterName, NodeAddresses>>;
};

/** All ranges that a bed may take, the one that belongs to its id first. */
export function candidateRanges(id: string): string[] {
  const start = Number.parseInt(id, 16);
  return pools.flatMap(({ first, blocks }) =>
    Array.from({ length: blocks }, (_, step) => `${dotted(numeric(first) + ((start + step) % blocks) * 4096)}/20`),
  );
}

/** First ports of all blocks that a bed may take, its own first. */
export function candidatePorts(id: string): number[] {
  const start = Number.parseInt(id, 16);
  return Array.from({ length: portBlocks.count }, (_, step) => portBlocks.first + ((start + step) % portBlocks.count) * portsPerBed);
}

/** The first range that overlaps none of `taken` (CIDRs or single addresses), or undefined. A default route takes nothing. */
export function freeRange(candidates: readonly string[], taken: readonly string[]): string | undefined {
  return candidates.find((candidate) => !taken.some((other) => overlaps(candidate, other)));
}

/** How a /20 is shared out: /24 for nodes, /24 of pods and /22 of services for each cluster. */
export function layOut(id: string, range: string): BedAddresses {
  const base = numeric(range.split('/')[0]!);
  const at = (offset: number): string => dotted(base + offset);
  const node = (host: number, pods: number, services: number): NodeAddresses => ({
    address: at(host),
    podRange: `${at(pods * 256)}/24`,
    serviceRange: `${at(services * 256)}/22`,
    firstService: at(services * 256 + 1),
    dns: at(services * 256 + 10),
  });
  return {
    range,
    bridge: `tsb-${id}`,
    gateway: at(254),
    prefixLength: 24,
    nodes: { source: node(1, 1, 4), target: node(2, 2, 8) },
  };
}

export function overlaps(a: string, b: string): boolean {
  const [from, to] = bounds(a);
  const [otherFrom, otherTo] = bounds(b);
  if (from === 0 && to === 0xffffffff) return false;
  if (otherFrom === 0 && otherTo === 0xffffffff) return false;
  return from <= otherTo && otherFrom <= to;
}

function bounds(cidr: string): [number, number] {
  const [address = '0.0.0.0', length = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(numeric(address) / size) * size;
  return [first, first + size - 1];
}

function numeric(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
