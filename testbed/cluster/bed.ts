/**
 * The running test bed as its users see it: `.testbed/testbed.json` in the checkout. Written last by `up`, so a file that is there
 * describes a bed that was ready once.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { MediumKind } from '../csi/index.ts';

export type ClusterName = 'source' | 'target';

/** `plain` copies files one after the other; `btrfs` (and `ext4`, where the kernel has no btrfs) takes atomic snapshots. */
export type DriverKind = MediumKind;

export type BedCluster = {
  readonly name: ClusterName;
  /** Name of the context in the bed's kubeconfig; the same word as `name`. */
  readonly context: string;
  /** Full Kubernetes version without `v`. */
  readonly version: string;
  readonly server: string;
  readonly nodeName: string;
  /** IPv4 address of the node, reachable from this machine and from pods of both clusters. */
  readonly nodeAddress: string;
  readonly podRange: string;
  readonly serviceRange: string;
  readonly drivers: readonly { readonly name: string; readonly kind: DriverKind }[];
  readonly storageClasses: readonly string[];
  readonly defaultStorageClass: string;
  readonly snapshotClasses: readonly string[];
  /** The node's first process, seen from this machine. `started` = start time in clock ticks since boot. */
  readonly process: { readonly pid: number; readonly started: string } | undefined;
};

export type S3Access = {
  /** One URL that works from this machine and from pods of both clusters. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};

export type TestBed = {
  readonly id: string;
  readonly provider: 'native' | 'kind';
  /** The `.testbed` directory, absolute. */
  readonly directory: string;
  /** One file with the contexts `source` and `target`. */
  readonly kubeconfig: string;
  /** A kubectl that fits. */
  readonly kubectl: string;
  readonly clusters: { readonly source: BedCluster; readonly target: BedCluster };
  readonly s3: S3Access;
  /** What both nodes have in their image store. */
  readonly images: readonly { readonly ref: string; readonly tar: string }[];
};

/** The checkout that this code lies in, links resolved: the identity of a bed. */
export function checkoutPath(): string {
  return realpathSync(join(import.meta.dirname, '..', '..'));
}

/** TRANSHIP_TESTBED_NAME: a second bed of one checkout. Empty for the usual one. */
export function bedName(): string {
  return process.env['TRANSHIP_TESTBED_NAME'] ?? '';
}

/** `.testbed` of a checkout; beds with a name lie below it. */
export function bedDirectory(checkout: string = checkoutPath(), name: string = bedName()): string {
  return name === '' ? join(checkout, '.testbed') : join(checkout, '.testbed', 'named', name);
}

/** The bed described in `directory`, or undefined when there is none. It may have died since: ask `status`. */
export function readTestBed(directory: string = bedDirectory()): TestBed | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'testbed.json'), 'utf8')) as TestBed;
  } catch {
    return undefined;
  }
}
