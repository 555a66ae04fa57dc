/** What a target's file system cannot hold: the copy fails and lists each path, and nothing is said to be about space that is not. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { codeOf, TranshipError } from '../errors.ts';
import { type Rig, rigOn } from './rig.ts';
import { makeNode, setTimes, setXattr } from './sys.ts';
import { cannotLook, differences, look } from './testing/look.ts';
import { cannotMount, LoopPlace } from './testing/loops.ts';
import { findReferees } from './testing/referees.ts';

const referees = await findReferees();

describe(
  'a target of another kind',
  { skip: cannotLook() ?? cannotMount('ext4', referees) ?? cannotMount('xfs', referees) ?? false },
  () => {
    let place: LoopPlace;
    let rig: Rig;
    before(async () => {
      place = new LoopPlace(referees);
      mkdirSync(join(place.base, 'store'));
      rig = await rigOn(join(place.base, 'store'));
    });
    after(() => place.close());
    const end = ({ path }: { path: string }): { mode: 'Filesystem'; path: string } => ({ mode: 'Filesystem', path });
    const pathsOf = (error: unknown): string[] => {
      const { paths } = (error as TranshipError).details as { paths: { path: string; error: string }[] };
      return paths.map(({ path, error: why }) => `${path}: ${why}`).toSorted();
    };

    it('gets the ACLs of XFS as ACLs only, not in the form that XFS keeps them in as well', async () => {
      const [source, target] = [place.volume('xfs', 'xfs', 320 << 20), place.volume('ext4', 'ext4', 64 << 20)];
      mkdirSync(join(source.path, 'directory'));
      writeFileSync(join(source.path, 'file'), 'content');
      const acl = Buffer.from('0200000001000600ffffffff02000400d204000004000400ffffffff10000400ffffffff20000000ffffffff', 'hex');
      setXattr(join(source.path, 'file'), 'system.posix_acl_access', acl);
      setXattr(join(source.path, 'directory'), 'system.posix_acl_default', acl);
      await rig.run({ op: 'copy-out', volume: 'acl', round: 0, source: end(source) });
      await rig.run({ op: 'copy-in', volume: 'acl', round: 0, fresh: true, target: end(target), verify: 'All' });
      const except = (path: string): string[] =>
        path === 'lost+found' ? ['*'] : ['xattr trusted.SGI_ACL_FILE', 'xattr trusted.SGI_ACL_DEFAULT'];
      assert.deepEqual(differences(look(source.path), look(target.path), { except }), []);
      assert.equal(look(target.path).get('file')?.['xattr trusted.SGI_ACL_FILE'], undefined);
    });
    it('says which paths XFS cannot hold: long link texts, large device numbers', async () => {
      const [source, target] = [place.volume('from-ext4', 'ext4', 64 << 20, '-b', '4096'), place.volume('to-xfs', 'xfs', 320 << 20)];
      symlinkSync('x'.repeat(3000), join(source.path, 'link'));
      makeNode(join(source.path, 'device'), 'block', 0o600, [4000, 1]);
      writeFileSync(join(source.path, 'fine'), 'fine');
      await rig.run({ op: 'copy-out', volume: 'names', round: 0, source: end(source) });
      await assert.rejects(
        rig.run({ op: 'copy-in', volume: 'names', round: 0, fresh: true, target: end(target), verify: 'None' }),
        (error) => {
          assert.deepEqual(pathsOf(error), ['device: EINVAL: mknod', 'link: ENAMETOOLONG: symlink']);
          return codeOf(error) === 'Incomplete';
        },
      );
      assert.equal(look(target.path).get('fine')?.['size'], 4);
    });
    it('says that an attribute is too large for ext4, and not that the volume is full', async () => {
      const [source, target] = [place.volume('large-attribute', 'xfs', 320 << 20), place.volume('small-attribute', 'ext4', 64 << 20)];
      writeFileSync(join(source.path, 'file'), 'content');
      setXattr(join(source.path, 'file'), 'user.large', Buffer.alloc(60_000, 'v'));
      await rig.run({ op: 'copy-out', volume: 'attributes', round: 0, source: end(source) });
      await assert.rejects(
        rig.run({ op: 'copy-in', volume: 'attributes', round: 0, fresh: true, target: end(target), verify: 'None' }),
        (error) => {
          assert.deepEqual(pathsOf(error), ['file: attribute user.large of 60000 bytes is more than the file system can hold']);
          return codeOf(error) === 'Incomplete';
        },
      );
    });
    it('does not round times in silence: 128 byte inodes of ext4 have whole seconds, and end in 2038', async () => {
      const [source, target] = [place.volume('long-times', 'ext4', 64 << 20), place.volume('short-times', 'ext4', 64 << 20, '-I', '128')];
      for (const [name, time] of [
        ['whole', [1_700_000_000, 0]],
        ['fraction', [1_700_000_000, 5]],
        ['far', [5_000_000_000, 0]],
      ] as const) {
        writeFileSync(join(source.path, name), '');
        setTimes(join(source.path, name), [time[0], time[1]]);
      }
      setTimes(source.path, [1_700_000_000, 0]);
      await rig.run({ op: 'copy-out', volume: 'times', round: 0, source: end(source) });
      await assert.rejects(
        rig.run({ op: 'copy-in', volume: 'times', round: 0, fresh: true, target: end(target), verify: 'Touched' }),
        (error) => {
          assert.deepEqual(pathsOf(error), ['far: modification time', 'fraction: modification time']);
          return codeOf(error) === 'Incomplete';
        },
      );
    });
  },
);
