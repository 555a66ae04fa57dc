/** The bed's bridge on this machine, and each node's link to it. */
import { spawnSync } from 'node:child_process';
import { TranshipError } from '../../src/errors.ts';
import type { BedAddresses } from '../cluster/addresses.ts';
import type { ClusterName } from '../cluster/bed.ts';
import type { Ledger } from '../cluster/ledger.ts';
import type { NodeSpec } from './spec.ts';

/** Once, before the nodes start side by side. */
export function makeBridge(ledger: Ledger, addresses: BedAddresses): void {
  ledger.write({ kind: 'link', name: addresses.bridge });
  ip(
    `link add ${addresses.bridge} type bridge`,
    `address add ${addresses.gateway}/${addresses.prefixLength} dev ${addresses.bridge}`,
    `link set ${addresses.bridge} up`,
  );
}

/** Name of the machine's end of a node's link. */
export function interfaceOf(bedId: string, name: ClusterName): string {
  return `tsv-${bedId}-${name[0]}`;
}

/** Links the network namespace of process `pid` (a node's first) to the bridge. The link goes when the namespace goes. */
export function linkNode(spec: NodeSpec, pid: number): void {
  const outside = interfaceOf(spec.bedId, spec.name);
  ip(
    `link add ${outside} type veth peer name eth0 netns ${pid}`,
    `link set ${outside} master ${spec.bed.bridge}`,
    `link set ${outside} up`,
  );
  run(
    'nsenter',
    [
      '-t',
      String(pid),
      '-n',
      'sh',
      '-c',
      'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip -batch -',
    ],
    [
      'link set lo up',
      `address add ${spec.addresses.address}/${spec.bed.prefixLength} dev eth0`,
      'link set eth0 up',
      `route add default via ${spec.bed.gateway}`,
    ],
  );
}

function ip(...lines: readonly string[]): void {
  run('ip', ['-batch', '-'], lines);
}

function run(program: string, args: readonly string[], lines: readonly string[]): void {
  const done = spawnSync(program, args, { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
  if (done.status === 0) return;
  throw new TranshipError('Internal', `The network of the test bed could not be made (${lines.join('; ')}): ${done.stderr.trim()}`);
}
