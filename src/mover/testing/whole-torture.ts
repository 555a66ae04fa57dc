/** The torture tree with everything of the format's list on top: chunk borders, long names, wide directories, extreme owners and times, large attributes. */
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeNode, punch, setTimes, setXattr } from '../sys.ts';
import { makeDeep, makeTorture } from '../torture.ts';

const chunk = 1 << 20;

export interface TortureOptions {
  /** Entries of the wide directory. */
  wide: number;
  /** Bytes of the largest attribute value that the file system takes. */
  attribute: number;
  /** Of a device node; XFS holds less than the others. */
  major: number;
}

/** Fills an empty directory. */
export function makeWholeTorture(base: string, { wide, attribute, major }: TortureOptions): void {
  makeTorture(base, major);
  makeDeep(base);
  const at = (name: string): string => join(base, name);
  mkdirSync(at('borders'));
  for (const size of [0, 1, 4095, 4096, 65_535, 65_536, 65_537, chunk - 1, chunk, chunk + 1, 8 * chunk, 8 * chunk + 1, 17 * chunk - 1])
    writeFileSync(at(`borders/${size}`), Buffer.alloc(size, `${size} is a size\n`));
  mkdirSync(at('zeros-at'));
  for (const [name, parts] of Object.entries({
    start: [chunk, 0, 'x'],
    end: ['x', 2 * chunk + 3],
    'only-last-byte': [3 * chunk, 'x'],
    'hole-then-written-zeros': [chunk, 4096],
  })) {
    const fd = openSync(at(`zeros-at/${name}`), 'w');
    let end = 0;
    for (const part of parts) {
      if (typeof part === 'string') end += writeSync(fd, part, end);
      else end += part;
    }
    ftruncateSync(fd, end);
    if (name.includes('written')) writeSync(fd, Buffer.alloc(4096), 0, 4096, chunk);
    closeSync(fd);
  }
  mkdirSync(at('links'));
  symlinkSync('x'.repeat(1000), at('links/long-text'));
  symlinkSync('..', at('links/up'));
  symlinkSync('text', at('links/twice'));
  linkSync(at('links/twice'), at('links/twice-too'));
  linkSync(at('char'), at('links/device-too'));
  mkdirSync(at('owners'));
  for (const id of [1, 65_534, 65_536, 2 ** 31, 4_000_000_000, 2 ** 32 - 2]) {
    writeFileSync(at(`owners/${id}`), '');
    lchownSync(at(`owners/${id}`), id, 2 ** 32 - 1 - id);
  }
  mkdirSync(at('modes'));
  for (const mode of [0, 0o1, 0o777, 0o1777, 0o2010, 0o4755, 0o7777]) {
    writeFileSync(at(`modes/file-${mode}`), '');
    chmodSync(at(`modes/file-${mode}`), mode);
    mkdirSync(at(`modes/directory-${mode}`));
    chmodSync(at(`modes/directory-${mode}`), mode);
    makeNode(at(`modes/fifo-${mode}`), 'fifo', 0);
    chmodSync(at(`modes/fifo-${mode}`), mode);
  }
  mkdirSync(at('times'));
  for (const seconds of [-2_000_000_000, -1, 0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 9_000_000_000])
    for (const nanoseconds of [0, 1, 999_999_999]) {
      const name = `times/${seconds}.${nanoseconds}`;
      writeFileSync(at(name), name);
      setTimes(at(name), [seconds, nanoseconds]);
    }
  symlinkSync('t', at('times/link'));
  setTimes(at('times/link'), [-5, 5]);
  mkdirSync(at('attributes'));
  writeFileSync(at('attributes/large'), 'has a large one');
  setXattr(at('attributes/large'), 'user.large', Buffer.alloc(attribute, 'value'));
  writeFileSync(at('attributes/many'), 'has many');
  for (let number = 0; number < 30; number++)
    setXattr(at('attributes/many'), `user.${'n'.repeat(number * 3)}${number}`, Buffer.from([number]));
  writeFileSync(at('attributes/trusted'), 'x');
  setXattr(at('attributes/trusted'), 'trusted.overlay.opaque', Buffer.from('y'));
  makeNode(at('attributes/fifo'), 'fifo', 0o600);
  setXattr(at('attributes/fifo'), 'trusted.on-fifo', Buffer.from('f'));
  mkdirSync(at('attributes/below-default-acl'));
  const acl = Buffer.from('0200000001000600ffffffff02000400d204000004000400ffffffff10000400ffffffff20000000ffffffff', 'hex');
  setXattr(at('attributes/below-default-acl'), 'system.posix_acl_default', acl);
  // Made below a default ACL and then freed of it: a restore must not leave the inherited one.
  writeFileSync(at('attributes/below-default-acl/has-inherited'), 'i');
  mkdirSync(at('attributes/below-default-acl/directory-has-inherited'));
  writeFileSync(at('attributes/plain-before'), 'p');
  renameSync(at('attributes/plain-before'), at('attributes/below-default-acl/has-none'));
  mkdirSync(at('names'));
  for (const name of [
    '-dash',
    ' space ',
    '\ttab',
    'quote\'"',
    'back\\slash',
    'new\nline',
    '*?[',
    'é'.repeat(127),
    '\u{1F600}',
    '..dots',
    '...',
    '~',
  ])
    writeFileSync(at(`names/${name}`), name);
  for (let byte = 1; byte < 256; byte++)
    if (byte !== 0x2f && byte !== 0x2e) writeFileSync(Buffer.from(`${base}/names/byte-${String.fromCharCode(byte)}`, 'latin1'), '');
  // Order of manifests: a directory's children, and names around the slash.
  for (const name of ['order', 'order-', 'order.d', 'order0', 'order!']) {
    mkdirSync(at(name));
    writeFileSync(at(`${name}/child`), name);
  }
  mkdirSync(at('wide'));
  for (let number = 0; number < wide; number++) closeSync(openSync(at(`wide/${number.toString(36)}`), 'w'));
}

/** Touches every class of the tree in every way that a next round must see. */
export function changeWholeTorture(base: string): void {
  const at = (name: string): string => join(base, name);
  for (const size of [chunk - 1, chunk, chunk + 1, 8 * chunk + 1]) {
    const fd = openSync(at(`borders/${size}`), 'r+');
    writeSync(fd, 'changed', size - 7);
    closeSync(fd);
  }
  truncateSync(at(`borders/${17 * chunk - 1}`), 9 * chunk + 5);
  truncateSync(at('borders/1'), 3 * chunk);
  truncateSync(at('borders/4096'), 0);
  const fd = openSync(at(`borders/${8 * chunk}`), 'r+');
  punch(fd, chunk, 2 * chunk);
  punch(fd, 5 * chunk + 4096, 4096);
  closeSync(fd);
  // Types change places.
  rmSync(at('borders/0'));
  mkdirSync(at('borders/0'));
  writeFileSync(at('borders/0/inside'), 'x');
  rmSync(at('order.d'), { recursive: true });
  symlinkSync('order', at('order.d'));
  rmSync(at('fifo'));
  writeFileSync(at('fifo'), 'a file now');
  rmSync(at('links/up'));
  makeNode(at('links/up'), 'block', 0o640, [7, 200_000]);
  rmSync(at('char'));
  makeNode(at('char'), 'character', 0o600, [5, 301]);
  // Names of one file part and meet.
  rmSync(at('dir/hard'));
  writeFileSync(at('dir/hard'), 'hello\n');
  linkSync(at('unreadable'), at('links/unreadable'));
  renameSync(at('plain'), at('moved'));
  renameSync(at('dir/sub'), at('names/sub'));
  // Attributes only.
  lchownSync(at('owners/1'), 4_294_967_290, 0);
  lchownSync(at('dangling'), 5, 6);
  chmodSync(at('modes/file-0'), 0o4711);
  chmodSync(at('modes/directory-0'), 0o3000);
  setXattr(at('attributes/many'), 'user.0', Buffer.from('other'));
  setXattr(at('attributes/large'), 'security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex'));
  setTimes(at('times/link'), [5, 5]);
  setTimes(at('times'), [-7, 7]);
  setTimes(at('links/twice'), [123, 456]);
  for (let number = 0; number < 30; number++) rmSync(at(`wide/${number.toString(36)}`));
}
