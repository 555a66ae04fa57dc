/** What a machine must have for real nodes, checked before anything is made. Each missing thing gets its own sentence. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import { parseCgroups } from '../node/cgroups.ts';

export type Machine = {
  readonly platform: string;
  readonly uid: number;
  readonly programs: (name: string) => boolean;
  readonly mountinfo: string;
  readonly loopDevices: boolean;
};

const needed: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
  losetup: 'mount',
  tar: 'tar',
};

/** Sentences that say what is missing for the level with nodes; empty = go. Pure. */
export function missingFor(machine: Machine): string[] {
  if (machine.platform !== 'linux') return [`Nodes run on Linux only; this is ${machine.platform}.`];
  const sentences: string[] = [];
  if (machine.uid !== 0) sentences.push('Nodes need root (namespaces, mounts, a bridge); you are not root.');
  for (const [program, pack] of Object.entries(needed)) {
    if (!machine.programs(program)) sentences.push(`The program ${program} was not found on PATH (package ${pack}).`);
  }
  if (parseCgroups(machine.mountinfo) === undefined) sentences.push('No control groups are mounted, neither version 1 nor version 2.');
  if (!machine.loopDevices) sentences.push('There is no /dev/loop-control, and volumes with atomic snapshots need loop devices.');
  return sentences;
}

/** Throws `Unsupported` with all that is missing and with what can be done without it. */
export function checkMachine(): void {
  const missing = missingFor(thisMachine());
  if (missing.length === 0) return;
  throw new TranshipError('Unsupported', missing.join(' '), {
    hint: `Without it there is still: the light level (API only, no root: node testbed/main.ts light), --provider kind where Docker and kind are, and any two clusters of yours by --from and --to.`,
  });
}

function thisMachine(): Machine {
  const paths = (process.env['PATH'] ?? '').split(delimiter);
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    programs: (name) => paths.some((path) => isExecutable(join(path, name))),
    mountinfo: existsSync('/proc/self/mountinfo') ? readFileSync('/proc/self/mountinfo', 'utf8') : '',
    loopDevices: existsSync('/dev/loop-control'),
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Loads the module where that is needed and possible. */
export function hasBtrfs(): boolean {
  const known = (): boolean => /\bbtrfs$/m.test(readFileSync('/proc/filesystems', 'utf8'));
  if (known()) return true;
  spawnSync('modprobe', ['btrfs'], { stdio: 'ignore' });
  return known();
}
