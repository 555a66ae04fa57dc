/** Looks at the machine itself, not at any ledger: is anything of a bed still there? `down` asks at its end, and the tests of kills. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseCgroups } from '../node/cgroups.ts';
import { startTimeOf } from './process.ts';

/** One sentence per thing found. `id` names links and control groups, `state` is where files and command lines point to. */
export function leftovers(id: string, state: string): string[] {
  return [
    ...processes(state),
    ...links(id),
    ...groups(id),
    ...mounts(state),
    ...loops(state),
    ...(existsSync(state) ? [`directory ${state}`] : []),
  ];
}

function processes(state: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const line = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
      return line.includes(`${state}/`) && Number(pid) !== process.pid && startTimeOf(Number(pid)) !== undefined
        ? [`process ${pid}: ${line}`]
        : [];
    });
}

function links(id: string): string[] {
  const answer = spawnSync('ip', ['-o', 'link'], { encoding: 'utf8' });
  return (answer.stdout ?? '').split('\n').filter((line) => line.includes(`tsb-${id}`) || line.includes(`tsv-${id}-`));
}

function groups(id: string): string[] {
  const cgroups = parseCgroups(read('/proc/self/mountinfo'));
  if (cgroups === undefined) return [];
  const roots = cgroups.version === 1 ? cgroups.hierarchies.map(({ mount }) => mount) : [cgroups.mount];
  return roots.flatMap((root) =>
    ['source', 'target']
      .map((name) => join(root, `tranship-${id}-${name}`))
      .filter((path) => existsSync(path))
      .map((path) => `control group ${path}`),
  );
}

function mounts(state: string): string[] {
  return read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(`${state}/`))
    .map((line) => `mount ${line}`);
}

function loops(state: string): string[] {
  return listDirectory('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .map((name) => ({ name, file: read(`/sys/block/${name}/loop/backing_file`) }))
    .filter(({ file }) => file.startsWith(`${state}/`))
    .map(({ name, file }) => `loop device ${name} on ${file.trim()}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
