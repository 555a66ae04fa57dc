/** Raw block volumes for real, and what is left of them when a node is killed. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { detachAll } from './detach.ts';
import { listLoops } from './loop.ts';
import type { Loop } from './loop.ts';
import { mib } from './medium.ts';
import { blocks, cannotRun, create, files, fromSnapshot, media, publish, Rig } from './rig.ts';

let rig: Rig;

describe('raw block volumes', { skip: cannotRun() }, () => {
  before(async () => {
    rig = new Rig();
    await rig.start();
  });
  after(async () => {
    await rig.killNode();
    await detachAll(rig.stateDir);
    rig.remove();
  });

  for (const { name: driver, medium } of media) {
    const target = (name: string): string => rig.target(`${medium}-${name}`);
    test(`${medium}: written, snapshot, restored, grown under the kubelet's device, released`, async () => {
      const raw = await rig.volume(driver, create('raw', blocks, 32 * mib));
      await rig.refused('INVALID_ARGUMENT', driver, 'Node.NodePublishVolume', publish(raw, target('raw')));
      await rig.call(driver, 'Node.NodePublishVolume', publish(raw, target('raw'), blocks));
      const stacked = rig.sh('losetup --find --show "$1"', target('raw')).trim(); // as the kubelet does
      rig.sh(
        'head -c 1000000 /dev/urandom > "$2"; dd if="$2" of="$1" bs=1000 seek=5000 conv=notrunc 2>&1',
        target('raw'),
        `${rig.home}/bytes`,
      );
      const made = await rig.snapshot(driver, 'raw', raw);
      rig.sh('dd if=/dev/zero of="$1" bs=1M count=8 conv=notrunc 2>&1', target('raw'));
      const back = await rig.volume(driver, { ...create('raw-back', blocks, 48 * mib), ...fromSnapshot(made) });
      await rig.call(driver, 'Node.NodePublishVolume', publish(back, target('raw-back'), blocks));
      rig.sh('dd if="$1" bs=1000 skip=5000 count=1000 2>/dev/null | cmp - "$2"', target('raw-back'), `${rig.home}/bytes`);
      assert.equal(rig.sh('blockdev --getsize64 "$1"', target('raw-back')).trim(), String(48 * mib));
      const range = { capacity_range: { required_bytes: 64 * mib } };
      await rig.call(driver, 'Controller.ControllerExpandVolume', { volume_id: raw.volume_id, ...range });
      for (const node of [target('raw'), stacked]) assert.equal(rig.sh('blockdev --getsize64 "$1"', node).trim(), String(64 * mib));
      const devices = (await listLoops()).filter((loop) => loop.device === stacked || loop.file.includes(raw.volume_id));
      assert.equal(devices.length, 2);
      await rig.call(driver, 'Node.NodeUnpublishVolume', { volume_id: raw.volume_id, target_path: target('raw') });
      await assertGone(devices);
      await rig.refused('INVALID_ARGUMENT', driver, 'Controller.CreateVolume', { ...create('wrong', files), ...fromSnapshot(made) });
      await rig.call(driver, 'Node.NodeUnpublishVolume', { volume_id: back.volume_id, target_path: target('raw-back') });
      for (const { volume_id } of [raw, back, raw, back]) await rig.call(driver, 'Controller.DeleteVolume', { volume_id });
      await rig.call(driver, 'Controller.DeleteSnapshot', { snapshot_id: made.snapshot_id });
      for (const kind of ['volumes', 'snapshots']) assert.equal(rig.sh('ls -A "$1"', path.join(rig.stateDir, driver, 'data', kind)), '');
    });
  }

  test('detachAll frees every device of a node that was killed: stacked, inside the pool, under a frozen file system', async () => {
    const stacked: string[] = [];
    for (const { name: driver } of media) {
      const volume = await rig.volume(driver, create('kill', blocks, 16 * mib));
      const target = rig.target(`kill-${driver}`);
      await rig.call(driver, 'Node.NodePublishVolume', publish(volume, target, blocks));
      stacked.push(rig.sh('losetup --find --show "$1"', target).trim());
    }
    const volume = await rig.volume('ext4.csi.test', create('frozen', files, 16 * mib));
    await rig.call('ext4.csi.test', 'Node.NodePublishVolume', publish(volume, rig.target('frozen')));
    rig.sh('fsfreeze --freeze "$1"', rig.target('frozen'));
    const names = /(vol-[0-9a-f-]+\.(block|ext4)|pool\.img)$/;
    const ids = readdirSync(rig.stateDir).flatMap((driver) => readdirSync(path.join(rig.stateDir, driver, 'volumes')));
    const ours = (loop: Loop): boolean => loop.file.startsWith(rig.stateDir) || ids.includes(`${path.parse(loop.file).name}.json`);
    const made = (await listLoops()).filter((loop) => stacked.includes(loop.device) || (ours(loop) && names.test(loop.file)));
    assert.equal(made.length, 3 + 3 + 1 + 1); // stacked, block, image, pool
    await rig.killNode();
    assert.deepEqual((await detachAll(rig.stateDir)).busy, []);
    await assertGone(made);
    assert.deepEqual(await detachAll(rig.stateDir), { detached: [], busy: [] });
  });
});

/** Device numbers are given again, to other programs too: gone is the pair of device and file. */
async function assertGone(loops: Loop[]): Promise<void> {
  const now = new Set((await listLoops()).map((loop) => `${loop.device} ${loop.key}`));
  assert.deepEqual(
    loops.filter((loop) => now.has(`${loop.device} ${loop.key}`)),
    [],
  );
}
