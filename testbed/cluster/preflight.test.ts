import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingFor, type Machine } from './preflight.ts';

const good: Machine = {
  platform: 'linux',
  uid: 0,
  programs: () => true,
  mountinfo: '30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw',
  loopDevices: true,
};

test('nothing is missing on a good machine', () => assert.deepEqual(missingFor(good), []));

test('each missing thing has its own sentence', () => {
  const bad = missingFor({ ...good, uid: 1000, programs: (name) => name !== 'nsenter', mountinfo: '', loopDevices: false });
  assert.equal(bad.length, 4);
  assert.match(bad.join('\n'), /not root/);
  assert.match(bad.join('\n'), /nsenter.*util-linux/);
  assert.match(bad.join('\n'), /control groups/);
  assert.match(bad.join('\n'), /loop-control/);
});

test('another system needs only one sentence', () => {
  assert.deepEqual(missingFor({ ...good, platform: 'darwin', uid: 501 }), ['Nodes run on Linux only; this is darwin.']);
});
