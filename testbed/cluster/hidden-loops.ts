/**
 * Loop devices whose images lie in a file system that nobody can see any more: the checkout was deleted while a bed ran, so the records by
 * which the driver would know them are gone. The pool that holds them stays busy until they are found and detached.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

type Loop = { readonly name: string; readonly device: string; readonly inode: string };

/** Detaches the devices whose images are inside the file system on one of `pools`, and those on top of them. `place` is an empty directory. */
export function detachInside(pools: readonly string[], place: string): void {
  const loops = listLoops();
  for (const pool of pools) {
    const inside = deviceOfFileSystem(pool, place);
    const found = loops.filter((loop) => loop.device === inside);
    const nodes = found.flatMap(({ name }) => keyOf(name) ?? []);
    const onTop = loops.filter((loop) => nodes.includes(`${loop.device} ${loop.inode}`));
    for (const { name } of [...onTop, ...found]) spawnSync('losetup', ['--detach', name], { stdio: 'ignore' });
  }
}

/** Mounting it again shows the file system that is still alive, not a second one. In a mount namespace of its own, so nothing stays. */
function deviceOfFileSystem(pool: string, place: string): string | undefined {
  const script = 'mount "$1" "$2" && stat -c "%Hd:%Ld" "$2"';
  const seen = spawnSync('unshare', ['--mount', '/bin/sh', '-c', script, 'sh', pool, place], { encoding: 'utf8' });
  return seen.status === 0 ? seen.stdout.trim() : undefined;
}

type Listed = { loopdevices?: { name: string; 'back-maj:min': string | null; 'back-ino': number | string | null }[] };

function listLoops(): Loop[] {
  const answer = spawnSync('losetup', ['--list', '--json', '--output', 'NAME,BACK-MAJ:MIN,BACK-INO'], { encoding: 'utf8' });
  if (answer.status !== 0 || answer.stdout.trim() === '') return [];
  const { loopdevices = [] } = JSON.parse(answer.stdout) as Listed;
  return loopdevices.map((row) => ({
    name: row.name,
    device: (row['back-maj:min'] ?? '').replaceAll(' ', ''), // padded
    inode: String(row['back-ino'] ?? '').trim(),
  }));
}

/** `major:minor inode` of a device's own name, which is what a device on top of it stands on. */
function keyOf(name: string): string | undefined {
  try {
    const { dev, ino } = statSync(name, { bigint: true });
    return `${(dev >> 8n) & 0xfffn}:${(dev & 0xffn) | ((dev >> 12n) & 0xfff00n)} ${ino}`;
  } catch {
    return undefined;
  }
}
