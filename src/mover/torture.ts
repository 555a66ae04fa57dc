/** For tests only: a tree with everything that a volume can hold. */
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeNode, setTimes, setXattr } from './sys.ts';

/**
 * One of each, and what other tools lose: see the list "What a volume carries" of the format page.
 * @param major of a device node: Linux has 12 bits for it, XFS holds 9
 */
export function makeTorture(base: string, major = 4000): void {
  const at = (name: string): string => join(base, name);
  const bytes = (name: string): Buffer => Buffer.from(`${base}/${name}`, 'latin1');
  mkdirSync(at('dir/sub/deeper'), { recursive: true });
  mkdirSync(at('empty'));
  writeFileSync(at('plain'), 'hello\n');
  writeFileSync(at('nothing'), '');
  writeFileSync(at('zeros'), Buffer.alloc(3 << 20));
  writeFileSync(at('two-chunks'), Buffer.alloc((2 << 20) + 17, 'abc'));
  writeFileSync(bytes('dir/not-utf8-\xff\xfe'), 'x');
  writeFileSync(bytes('dir/not-utf8-\xff\xfd'), 'y');
  writeFileSync(at(`dir/${'n'.repeat(255)}`), 'long name');
  writeFileSync(at('dir/new\nline "quote" \\'), 'odd');
  symlinkSync('nowhere/at all', at('dangling'));
  symlinkSync('/etc/passwd', at('absolute'));
  symlinkSync(Buffer.from('to-\xff', 'latin1'), bytes('link-\xfe'));
  lchownSync(at('dangling'), 4_000_000_000, 77);
  linkSync(at('plain'), at('dir/hard'));
  linkSync(at('plain'), at('dir/sub/harder'));
  makeNode(at('fifo'), 'fifo', 0o640);
  linkSync(at('fifo'), at('fifo-again'));
  makeNode(at('char'), 'character', 0o600, [5, 300]);
  makeNode(at('blk'), 'block', 0o660, [major, 70_000]);
  writeFileSync(at('setuid'), '#!');
  chownSync(at('setuid'), 1000, 1001);
  chmodSync(at('setuid'), 0o6755);
  chmodSync(at('dir/sub'), 0o3771);
  writeFileSync(at('unreadable'), 'secret');
  chmodSync(at('unreadable'), 0);
  setXattr(at('plain'), 'user.empty', Buffer.alloc(0));
  setXattr(at('plain'), 'user.bytes', Buffer.from([0, 255, 10]));
  setXattr(at('dir'), 'user.on-dir', Buffer.from('d'));
  setXattr(at('dangling'), 'trusted.on-link', Buffer.from('t'));
  setXattr(at('setuid'), 'security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex'));
  // A POSIX ACL: user::rw-, user:1234:r--, group::r--, mask::r--, other::---; and the same as default of a directory.
  const acl = Buffer.from('0200000001000600ffffffff02000400d204000004000400ffffffff10000400ffffffff20000000ffffffff', 'hex');
  setXattr(at('two-chunks'), 'system.posix_acl_access', acl);
  setXattr(at('dir/sub'), 'system.posix_acl_default', acl);
  const fd = openSync(at('sparse'), 'w');
  ftruncateSync(fd, 2 ** 33 + 5);
  writeSync(fd, 'middle', 5_000_000_000);
  writeSync(fd, 'start', 4096);
  closeSync(fd);
  setTimes(at('plain'), [-100_000_000, 123_456_789]);
  setTimes(at('nothing'), [4_102_444_800, 1]);
  setTimes(at('dangling'), [1_000_000_000, 999_999_999]);
  setTimes(at('dir/sub'), [1_500_000_000, 5]);
}

/** A file below a path longer than PATH_MAX: only relative names get there. */
export function makeDeep(base: string): void {
  process.chdir(base);
  for (let level = 0; level < 30; level++) {
    mkdirSync('d'.repeat(200));
    process.chdir('d'.repeat(200));
  }
  writeFileSync('bottom', 'deep');
  process.chdir('/');
}
