/** The command line of the driver process, both ways: read by `main.ts`, written by whoever starts it. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { TranshipError } from '#src/errors.ts';

/**
 * What a driver makes its filesystem volumes of.
 * - `plain`: a directory; a snapshot is a copy, not atomic; size not enforced
 * - `btrfs`: a subvolume of one loop file; atomic snapshots; size enforced by quota (a full volume answers EDQUOT)
 * - `ext4`: one image file per volume; atomic snapshots (frozen while copied); size enforced (ENOSPC)
 */
export type MediumKind = (typeof mediumKinds)[number];
const mediumKinds = ['plain', 'btrfs', 'ext4'] as const;

export interface CsiFlags {
  drivers: { name: string; medium: MediumKind }[];
  /** The node's name as in the Node object. */
  nodeId: string;
  /** Holds everything the drivers keep, one directory per driver. Absolute. */
  stateDir: string;
  /** The kubelet's root directory as seen by this process. Absolute. */
  kubeletRoot: string;
  /** `csi.proto` of module container-storage-interface/spec. */
  proto: string;
  /** Size of a btrfs driver's loop file in bytes; sparse, so only what is written takes room. */
  poolBytes: number;
}

const defaultPoolGiB = 64;
const gib = 1024 ** 3;
const driverName = /^[a-zA-Z0-9]([-.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/; // the CSI spec's rule for plugin names

/**
 * The arguments after `node testbed/csi/main.ts`.
 * @throws TranshipError InvalidInput with a sentence that names the flag.
 */
export function readFlags(args: string[]): CsiFlags {
  const { values } = parseArgs({
    args,
    options: {
      driver: { type: 'string', multiple: true },
      'node-id': { type: 'string' },
      'state-dir': { type: 'string' },
      'kubelet-root': { type: 'string', default: '/var/lib/kubelet' },
      proto: { type: 'string' },
      'pool-gib': { type: 'string', default: String(defaultPoolGiB) },
    },
  });
  const drivers = (values.driver ?? []).map(readDriver);
  if (drivers.length === 0) throw invalid('At least one --driver NAME=plain|btrfs|ext4 is needed.');
  if (new Set(drivers.map((driver) => driver.name)).size !== drivers.length) throw invalid('A --driver name is given twice.');
  const poolGiB = Number(values['pool-gib']);
  if (!Number.isInteger(poolGiB) || poolGiB < 1) throw invalid('--pool-gib must be a whole number of GiB, 1 or more.');
  return {
    drivers,
    nodeId: needed('--node-id', values['node-id']),
    stateDir: absolute('--state-dir', values['state-dir']),
    kubeletRoot: absolute('--kubelet-root', values['kubelet-root']),
    proto: absolute('--proto', values.proto),
    poolBytes: poolGiB * gib,
  };
}

/**
 * The arguments of `node` that start the drivers. The V8 flags keep a process that does little from taking memory for throughput: 99 MB
 * resident with them (40 MB of it its own), 111 MB (53 MB) without.
 * @example spawn(process.execPath, driverCommand(flags))
 */
export function driverCommand(flags: Parameters<typeof writeFlags>[0]): string[] {
  const small = ['--max-semi-space-size=1', '--v8-pool-size=1', '--optimize-for-size'];
  return [...small, path.join(import.meta.dirname, 'main.ts'), ...writeFlags(flags)];
}

/** The arguments that `readFlags` reads back as `flags`. */
export function writeFlags(flags: Omit<CsiFlags, 'poolBytes'> & { poolBytes?: number }): string[] {
  const args = flags.drivers.flatMap((driver) => ['--driver', `${driver.name}=${driver.medium}`]);
  args.push('--node-id', flags.nodeId, '--state-dir', flags.stateDir, '--kubelet-root', flags.kubeletRoot, '--proto', flags.proto);
  if (flags.poolBytes !== undefined) args.push('--pool-gib', String(Math.ceil(flags.poolBytes / gib)));
  return args;
}

function readDriver(text: string): { name: string; medium: MediumKind } {
  const [name = '', kind = ''] = text.split('=', 2);
  const medium = mediumKinds.find((known) => known === kind);
  if (!driverName.test(name) || medium === undefined) {
    throw invalid(`--driver "${text}" is not of the form NAME=plain|btrfs|ext4.`);
  }
  return { name, medium };
}

function needed(flag: string, value: string | undefined): string {
  if (value === undefined || value === '') throw invalid(`${flag} is missing.`);
  return value;
}

function absolute(flag: string, value: string | undefined): string {
  const given = needed(flag, value);
  if (!path.isAbsolute(given)) throw invalid(`${flag} must be an absolute path, not "${given}".`);
  return path.normalize(given).replace(/(?<=.)\/+$/, '');
}

function invalid(sentence: string): TranshipError {
  return new TranshipError('InvalidInput', sentence);
}
