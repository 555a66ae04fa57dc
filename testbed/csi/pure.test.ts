/** The decisions that need no machine. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseQuota } from './btrfs.ts';
import { checkParameters, modeOf } from './capabilities.ts';
import { readFlags, writeFlags } from './flags.ts';
import { KeyLocks } from './locks.ts';
import { parseLoops } from './loop.ts';
import { driverObjects, testbedDrivers } from './manifests.ts';
import { gib, mib } from './medium.ts';
import { bindsOf, covers, mountAt, originOf, parseMountInfo } from './mounts.ts';
import { page } from './paging.ts';
import { onlyVanished } from './plain.ts';
import { chooseSize, fits } from './sizes.ts';

const range = (required_bytes: number, limit_bytes = 0): { required_bytes: number; limit_bytes: number } => ({
  required_bytes,
  limit_bytes,
});

describe('sizes', () => {
  test('what is required, else the source, else 1 GiB; never under the least', () => {
    assert.equal(chooseSize(range(5 * mib), 0), 5 * mib);
    assert.equal(chooseSize(range(0), 0, 7 * mib), 7 * mib);
    assert.equal(chooseSize(undefined, 0), gib);
    assert.equal(chooseSize(range(1), 16 * mib), 16 * mib);
    assert.equal(chooseSize(range(0, 100 * mib), 0), 100 * mib);
  });
  test('refuses what cannot be', () => {
    for (const [asked, least, source] of [
      [range(2, 1), 0, 0],
      [range(-1), 0, 0],
      [range(4 * mib), 0, 5 * mib],
      [range(1, 2), mib, 0],
      [range(0, mib), 0, 2 * mib],
    ] as const) {
      assert.throws(() => chooseSize(asked, least, source), { status: 'OUT_OF_RANGE' });
    }
  });
  test('an existing size fits between required and limit', () => {
    assert.deepEqual([fits(5, range(5, 5)), fits(5, range(6)), fits(5, range(1, 4)), fits(5, null)], [true, false, false, true]);
  });
});

describe('capabilities', () => {
  const single = { access_mode: { mode: 'SINGLE_NODE_WRITER' } };
  test('one mode or none', () => {
    assert.equal(modeOf([{ block: {}, ...single }]), 'block');
    const files = { mount: { fs_type: '', mount_flags: [] }, ...single };
    assert.equal(modeOf([files, files]), 'filesystem');
    for (const bad of [[], [single], [{ block: {} }], [files, { block: {}, ...single }]]) {
      assert.throws(() => modeOf(bad), { status: 'INVALID_ARGUMENT' });
    }
  });
  test('parameters of the sidecars pass, others are refused', () => {
    checkParameters({ 'csi.storage.k8s.io/pvc/name': 'data' });
    assert.throws(() => checkParameters({ kind: 'fast' }), { status: 'INVALID_ARGUMENT' });
  });
});

test('a page ends where the next begins, and an unknown token starts the list again', () => {
  const all = ['a', 'b', 'c'].map((letter) => ({ id: `vol-${letter.repeat(36)}` }));
  const first = page(all, { max_entries: 2, starting_token: '' });
  assert.deepEqual(first, { items: all.slice(0, 2), next_token: all[1]?.id });
  assert.deepEqual(page(all, { max_entries: 2, starting_token: first.next_token }), { items: all.slice(2), next_token: '' });
  assert.throws(() => page(all, { max_entries: 0, starting_token: '3' }), { status: 'ABORTED' });
});

test('locks let one at a time through for any key they share', async () => {
  const locks = new KeyLocks();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = locks.hold(['a', 'b'], async () => {
    await gate.promise;
    order.push('first');
  });
  const second = locks.hold(['b', 'c'], async () => order.push('second'));
  const other = locks.hold(['d'], async () => order.push('other'));
  await other;
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(order, ['other', 'first', 'second']);
  await assert.rejects(locks.hold(['a'], () => Promise.reject(new Error('no'))));
  assert.equal(await locks.hold(['a'], async () => 1), 1);
});

describe('mounts', () => {
  const mounts = parseMountInfo(
    [
      '24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
      '25 24 254:0 /srv /var/lib rw - ext4 /dev/vda rw',
      '26 25 0:39 / /var/lib/pool rw,noatime - btrfs /dev/loop0 rw',
      '27 25 0:39 /v/one /var/lib/pods/a\\040b ro shared:3 master:1 - btrfs /dev/loop0 rw',
      '28 25 0:40 / /var/lib/pods/a\\040b rw - tmpfs none rw',
    ].join('\n'),
  );
  test('reads the optional fields and the escapes', () => {
    const [, , , bind] = mounts;
    assert.deepEqual(bind, { device: '0:39', root: '/v/one', mountPoint: '/var/lib/pods/a b', options: ['ro'], type: 'btrfs' });
    assert.equal(mountAt(mounts, '/var/lib/pods/a b')?.type, 'tmpfs');
  });
  test('knows where a path leads and where it is bound', () => {
    assert.deepEqual(originOf(mounts, '/var/lib/x'), { device: '254:0', root: '/srv/x' });
    assert.deepEqual(originOf(mounts, '/var/lib/pool'), { device: '0:39', root: '/' });
    assert.deepEqual(originOf(mounts, '/home'), { device: '254:0', root: '/home' });
    const binds = bindsOf(mounts, '/var/lib/pool/v/one', '/var/lib/pods');
    assert.deepEqual(
      binds.map((mount) => mount.mountPoint),
      ['/var/lib/pods/a b'],
    );
    assert.deepEqual(bindsOf(mounts, '/var/lib/pool/v/two', '/var/lib/pods'), []);
  });
  test('a directory covers what is below it, not what starts like it', () => {
    assert.deepEqual([covers('/a', '/a/b'), covers('/a', '/a'), covers('/a', '/ab'), covers('/', '/x')], [true, true, false, true]);
  });
});

test('reads loop devices however util-linux writes the numbers', () => {
  const row = { name: '/dev/loop3', 'back-ino': 42, 'back-maj:min': '254:0  ', 'back-file': '/x.img' };
  const text = { name: '/dev/loop4', 'back-ino': '43', 'back-maj:min': '  0:6', 'back-file': '/' };
  assert.deepEqual(parseLoops(JSON.stringify({ loopdevices: [row, text] })), [
    { device: '/dev/loop3', key: '42@254:0', file: '/x.img' },
    { device: '/dev/loop4', key: '43@0:6', file: '/' },
  ]);
});

test('reads the quota of a subvolume, with and without a limit', () => {
  const table = 'qgroupid         rfer         excl     max_rfer \n--------         ----         ----     -------- \n';
  assert.deepEqual(parseQuota(`${table}0/257           16384        16384     67108864 \n`), {
    total: 67108864,
    used: 16384,
    available: 67092480,
  });
  assert.equal(parseQuota(`${table}0/257           16384        16384         none \n`), undefined);
});

test('a copy may only miss files that vanished', () => {
  assert.equal(onlyVanished("cp: cannot stat '/a/b': No such file or directory\n"), true);
  // cp calls itself by the path that it was started with.
  assert.equal(onlyVanished("/usr/bin/cp: cannot stat '/a/b': No such file or directory\n"), true);
  assert.equal(onlyVanished("cp: cannot stat '/a': No such file or directory\ncp: error writing '/b': No space left on device\n"), false);
  assert.equal(onlyVanished(''), false);
});

describe('flags', () => {
  const flags = {
    drivers: [
      { name: 'a.b', medium: 'plain' as const },
      { name: 'c.d', medium: 'btrfs' as const },
    ],
    nodeId: 'node-source',
    stateDir: '/s',
    kubeletRoot: '/k',
    proto: '/p.proto',
    poolBytes: 2 * gib,
  };
  test('are read as they are written', () => assert.deepEqual(readFlags(writeFlags(flags)), flags));
  test('are refused with a sentence', () => {
    const good = writeFlags(flags);
    for (const bad of [
      [],
      ['--driver', 'a=zfs', ...good],
      ['--driver', 'a.b=ext4', ...good],
      [...good, '--state-dir', 'x'],
      [...good, '--pool-gib', '0'],
    ]) {
      assert.throws(() => readFlags(bad), { code: 'InvalidInput' });
    }
  });
});

describe('objects', () => {
  test('one CSIDriver, the classes and the snapshot class per driver; no class name twice, one default per cluster', () => {
    const names = { source: ['fast', 'fast-now', 'bulk'], target: ['silver', 'silver-now', 'gold'] };
    const groups = { source: ['VolumeGroupSnapshotClass'], target: [] };
    for (const cluster of ['source', 'target'] as const) {
      const objects = testbedDrivers[cluster].flatMap(driverObjects);
      const classes = objects.filter((object) => object.kind === 'StorageClass');
      assert.deepEqual(
        classes.map((object) => object.metadata.name),
        names[cluster],
      );
      assert.equal(classes.filter((object) => JSON.stringify(object).includes('is-default-class')).length, 1);
      assert.deepEqual(
        objects.map((object) => object.kind).filter((kind) => kind !== 'StorageClass'),
        ['CSIDriver', 'VolumeSnapshotClass', 'CSIDriver', 'VolumeSnapshotClass', ...groups[cluster]],
      );
    }
  });
});
