/**
 * Control groups of a node: one group per hierarchy on version 1, one group on version 2. The node's own cgroup namespace makes it the root
 * that kubelet and containerd see.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import type { Ledger } from '../cluster/ledger.ts';

export type Cgroups =
  | { readonly version: 1; readonly hierarchies: readonly { readonly mount: string; readonly name: string; readonly options: string }[] }
  | { readonly version: 2; readonly mount: string };

/** On version 2 no group may hold processes and groups with controllers at once: the node's programs live in this one below its root. */
export const programsGroup = 'programs';

/** What the text of /proc/self/mountinfo says; undefined when no cgroups are mounted. Version 1 wins where both are (hybrid machines). */
export function parseCgroups(mountinfo: string): Cgroups | undefined {
  const mounts = mountinfo
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [type = '', , superOptions = ''] = after.split(' ');
      return { mount: before.split(' ')[4] ?? '', type, superOptions: superOptions.split(',') };
    });
  const hierarchies = mounts
    .filter((mount) => mount.type === 'cgroup')
    .map(({ mount, superOptions }) => {
      const named = superOptions.find((option) => option.startsWith('name='));
      const controllers = superOptions.filter(
        (option) => !['rw', 'ro', 'xattr', 'clone_children'].includes(option) && !option.includes('='),
      );
      return { mount, name: basename(mount), options: named === undefined ? controllers.join(',') : `none,${named}` };
    });
  if (hierarchies.some(({ options }) => options.split(',').includes('memory'))) return { version: 1, hierarchies };
  const unified = mounts.find((mount) => mount.type === 'cgroup2');
  return unified === undefined ? undefined : { version: 2, mount: unified.mount };
}

/** Throws `Unsupported` when none are mounted. */
export function machineCgroups(): Cgroups {
  const cgroups = parseCgroups(readFileSync('/proc/self/mountinfo', 'utf8'));
  if (cgroups !== undefined) return cgroups;
  throw new TranshipError('Unsupported', 'No control groups are mounted on this machine, and containers need them.', {
    hint: 'The light level (API only) works without: node testbed/main.ts light.',
  });
}

/** Makes the group `name` everywhere and returns its directories, which a process enters before it becomes the node. */
export function makeCgroups(ledger: Ledger, cgroups: Cgroups, name: string): string[] {
  const paths = cgroups.version === 1 ? cgroups.hierarchies.map(({ mount }) => join(mount, name)) : [join(cgroups.mount, name)];
  for (const path of paths) ledger.write({ kind: 'cgroup', path });
  if (cgroups.version === 2) enableControllers(cgroups.mount);
  for (const path of paths) {
    mkdirSync(path, { recursive: true });
    // A new cpuset of version 1 is empty, and nothing can enter an empty one.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (cgroups.version === 1) copyIfThere(join(path, '..', file), join(path, file));
    }
  }
  return paths;
}

/**
 * Machines with systemd have done this for their own services. It is not taken back: others may rely on a controller by then. The way of
 * version 2 was tried only as far as the namespaces, on a hybrid machine: no kubelet has run on it.
 */
function enableControllers(mount: string): void {
  for (const controller of ['cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb']) {
    try {
      writeFileSync(join(mount, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      continue; // not every kernel has every controller; the kubelet says which one it misses
    }
  }
}

function copyIfThere(from: string, to: string): void {
  try {
    writeFileSync(to, readFileSync(from, 'utf8'));
  } catch {
    return;
  }
}

/** Shell lines for the node's first process: the groups as the node sees them. */
export function mountCgroupsScript(cgroups: Cgroups): string[] {
  if (cgroups.version === 2) {
    return [
      'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
      `mkdir /sys/fs/cgroup/${programsGroup}`,
      `echo 0 > /sys/fs/cgroup/${programsGroup}/cgroup.procs`,
      // The launcher moves our parent out of the root meanwhile; controllers can be enabled once it is empty.
      'tries=0',
      'until (for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$c" > /sys/fs/cgroup/cgroup.subtree_control || exit 1; done); do',
      '  tries=$((tries + 1)); [ $tries -lt 100 ] || exit 92; sleep 0.05',
      'done',
    ];
  }
  return [
    'mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup',
    ...cgroups.hierarchies.flatMap(({ name, options }) => [
      `mkdir "/sys/fs/cgroup/${name}"`,
      `mount -t cgroup -o "${options}" cgroup "/sys/fs/cgroup/${name}"`,
    ]),
  ];
}

/** Shell line by which a program started from outside enters the node's groups. `0` means the writer itself. */
export function enterCgroupsScript(cgroups: Cgroups): string {
  if (cgroups.version === 2) return `echo 0 > /sys/fs/cgroup/${programsGroup}/cgroup.procs`;
  return cgroups.hierarchies.map(({ name }) => `echo 0 > "/sys/fs/cgroup/${name}/cgroup.procs"`).join('; ');
}
