/** Independent programs that judge the data engine in tests: restic, rsync, getfattr, getfacl, and mkfs of XFS and btrfs. Never shipped, never linked. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { packages } from './apt.ts';
import type { Work } from './pieces.ts';
import { leftOut, refereePackages } from './pins.ts';

export type RefereePrograms = {
  /** To start them with: PATH, and where their libraries are. */
  readonly env: Readonly<Record<string, string>>;
  /** Version by package name; empty when the machine has them all. */
  readonly versions: Readonly<Record<string, string>>;
};

/** Scripts of xfsprogs want Python; its programs do not. */
const unwanted = new RegExp(`${leftOut.source}|^(lib)?python3`);
const programs = ['restic', 'rsync', 'getfattr', 'getfacl', 'mkfs.xfs', 'mkfs.btrfs'];

/**
 * The programs of the machine when it has all of them, else unpacked from the system's package archive into the cache.
 * @throws TranshipError Unsupported, with the reason, where there is neither
 */
export async function refereePrograms(work: Work): Promise<RefereePrograms> {
  const own = (process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin').split(delimiter);
  if (programs.every((program) => own.some((dir) => existsSync(join(dir, program)))))
    return { env: { PATH: own.join(delimiter) }, versions: {} };
  const { root, versions } = await packages({ name: 'referees', packages: refereePackages, leftOut: unwanted }, work);
  const libraries = join('usr', 'lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
  return {
    env: {
      PATH: [...['usr/bin', 'usr/sbin', 'sbin', 'bin'].map((dir) => join(root, dir)), ...own].join(delimiter),
      LD_LIBRARY_PATH: [libraries, libraries.slice('usr/'.length)].map((dir) => join(root, dir)).join(delimiter),
    },
    versions,
  };
}
