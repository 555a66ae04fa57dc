/** A tree with everything, through backup, increment and restore; what came out is judged by other programs. TRANSHIP_WIDE=n entries in one directory. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Rig, rigOn } from './rig.ts';
import { cannotLook, differences, type Facts, look } from './testing/look.ts';
import { cannotMount, type FileSystem, LoopPlace, type LoopVolume } from './testing/loops.ts';
import { findReferees } from './testing/referees.ts';
import { changeWholeTorture, makeWholeTorture } from './testing/whole-torture.ts';

const referees = await findReferees();
const wide = Number(process.env['TRANSHIP_WIDE'] ?? 1000);
/** The largest attribute value that each takes: a block of ext4, the limit of Linux, a leaf of btrfs. */
const attribute: Record<FileSystem, number> = { ext4: 3000, xfs: 65_536, btrfs: 16_000 };

for (const kind of ['ext4', 'xfs', 'btrfs'] as const) {
  describe(`the torture tree on ${kind}`, { skip: cannotLook() ?? cannotMount(kind, referees) ?? false }, () => {
    let place: LoopPlace;
    let source: LoopVolume;
    let target: LoopVolume;
    let fresh: LoopVolume;
    let rig: Rig;
    const end = ({ path }: LoopVolume): { mode: 'Filesystem'; path: string } => ({ mode: 'Filesystem', path });
    before(async () => {
      place = new LoopPlace(referees);
      [source, target, fresh] = ['source', 'target', 'fresh'].map((name) =>
        place.volume(name, kind, 1 << 30, ...(kind === 'ext4' ? ['-N', '150000'] : [])),
      ) as [LoopVolume, LoopVolume, LoopVolume];
      makeWholeTorture(source.path, { wide, attribute: attribute[kind], major: kind === 'xfs' ? 511 : 4000 });
      mkdirSync(join(place.base, 'store'));
      rig = await rigOn(join(place.base, 'store'));
    });
    after(() => place.close());

    it('comes out the same, says an independent look', async () => {
      const out = await rig.run({ op: 'copy-out', round: 0, source: end(source) });
      assert.deepEqual(out.notes, []);
      const back = await rig.run({ op: 'copy-in', round: 0, fresh: true, target: end(target), verify: 'All' });
      assert.equal(back.bytesTargetRead, 0);
      assert.deepEqual(differences(look(source.path), look(target.path), { except: belongsToFileSystem }), []);
    });
    it('comes out the same after an increment, in place and restored anew', async () => {
      changeWholeTorture(source.path);
      await rig.run({ op: 'copy-out', round: 1, parent: 0, source: end(source) });
      const back = await rig.run({ op: 'copy-in', round: 1, have: 0, fresh: false, target: end(target), verify: 'Touched' });
      assert.equal(back.bytesTargetRead, 0);
      const wanted = look(source.path);
      assert.deepEqual(differences(wanted, look(target.path), { except: belongsToFileSystem }), []);
      await rig.run({ op: 'copy-in', round: 1, fresh: true, target: end(fresh), verify: 'None' });
      assert.deepEqual(differences(wanted, look(fresh.path), { except: belongsToFileSystem }), []);
    });
    it('stays sparse where it was', () => {
      const [from, to] = [look(source.path).get('sparse'), look(fresh.path).get('sparse')];
      assert.ok(Number(to?.['blocks']) <= Number(from?.['blocks']), `${String(to?.['blocks'])} blocks, source ${String(from?.['blocks'])}`);
    });
    it('is equal, says rsync by content', { skip: referees.reason ?? false }, () => {
      for (const { path } of [target, fresh]) {
        const found = referees.run(
          'rsync',
          '-aHAXn',
          '--numeric-ids',
          '--checksum',
          '--delete',
          '--itemize-changes',
          '--modify-window=-1',
          '--exclude=/lost+found',
          `--exclude=/${'d'.repeat(200)}/`, // deeper than rsync can go
          '--exclude=/sparse', // it reads all 8 GiB
          `${source.path}/`,
          `${path}/`,
        );
        assert.equal(found, '');
      }
    });
    it('has equal attributes and ACLs, say getfattr and getfacl', { skip: referees.reason ?? false }, () => {
      const tell =
        'cd "$1" && find . -regextype posix-extended -regex "./(d{200}|lost\\+found|wide)" -prune -o -print0 | sort -z | xargs -0';
      for (const program of ['getfattr --no-dereference --dump --match=- --encoding=hex', 'getfacl --physical --numeric']) {
        const said = [source, target, fresh].map(({ path }) => referees.run('sh', '-c', `${tell} ${program}`, 'sh', path));
        assert.match(said[0] ?? '', /attributes/);
        assert.equal(said[1], said[0]);
        assert.equal(said[2], said[0]);
      }
    });
    // Once: it is about the tree, not about the file system.
    if (kind !== 'xfs') return;
    it('is equal to what restic restores, but for what restic drops', () => {
      const repository = join(place.base, 'restic');
      const theirs = place.volume('theirs', kind, 1 << 30);
      const restic = (...args: string[]): string =>
        referees.run('env', 'RESTIC_PASSWORD=made-up-for-this-test', 'restic', '--quiet', '--no-cache', '--repo', repository, ...args);
      restic('init');
      // Deeper than restic can go; the 8 GiB of holes cost it a minute.
      const excludes = [`--exclude=${source.path}/${'d'.repeat(200)}`, `--exclude=${source.path}/sparse`];
      restic('backup', ...excludes, source.path);
      restic('restore', 'latest', `--target=${join(theirs.path, 'restored')}`);
      const found = look(join(theirs.path, 'restored', source.path));
      const wanted = new Map([...look(fresh.path)].filter(([path]) => path !== 'sparse' && !path.startsWith('d'.repeat(200))));
      assert.deepEqual(differences(wanted, found, { except: resticDrops }), []);
    });
  });
}

/** What no copy carries: the root of ext4 has a place for its own repairs. */
function belongsToFileSystem(path: string): readonly string[] {
  return path === 'lost+found' ? ['*'] : [];
}

/** Of symlinks: their attributes, that two are one, and bytes of the text that are not UTF-8. */
function resticDrops(_path: string, { type, link }: Facts): readonly string[] {
  if (type !== 'symlink') return [];
  const odd = !/^[\x20-\x7e]*$/.test(String(link));
  return ['xattr trusted.on-link', 'same', 'names', ...(odd ? ['link'] : [])];
}
