/** Group snapshots by the calls of the CSI spec, for every medium. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { detachAll } from './detach.ts';
import { mib } from './medium.ts';
import type { GroupSnapshot } from './messages.ts';
import { blocks, cannotRun, create, files, fromSnapshot, media, publish, Rig } from './rig.ts';

let rig: Rig;

async function group(driver: string, name: string, source_volume_ids: string[]): Promise<GroupSnapshot> {
  const request = { name, source_volume_ids };
  return (await rig.call<{ group_snapshot: GroupSnapshot }>(driver, 'GroupController.CreateVolumeGroupSnapshot', request)).group_snapshot;
}

describe('group snapshots', { skip: cannotRun() }, () => {
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
    test(`${medium}: two volumes, files and block, taken, restored and removed together`, async () => {
      const one = await rig.volume(driver, create('group-files', files, 32 * mib));
      const two = await rig.volume(driver, create('group-raw', blocks, 16 * mib));
      const at = rig.target(`${medium}-group`);
      await rig.call(driver, 'Node.NodePublishVolume', publish(one, at));
      rig.sh('echo before > "$1/file"', at);
      const ids = [one.volume_id, two.volume_id];
      const taken = await group(driver, 'g', ids);
      rig.sh('echo after > "$1/file"', at);
      assert.deepEqual(taken.snapshots.map(({ source_volume_id }) => source_volume_id).toSorted(), ids.toSorted());
      assert.ok(taken.ready_to_use && taken.snapshots.every(({ group_snapshot_id }) => group_snapshot_id === taken.group_snapshot_id));

      assert.deepEqual(await group(driver, 'g', ids.toReversed()), taken, 'asked again it is the same group');
      await rig.refused('ALREADY_EXISTS', driver, 'GroupController.CreateVolumeGroupSnapshot', {
        name: 'g',
        source_volume_ids: [one.volume_id],
      });
      await rig.refused('NOT_FOUND', driver, 'GroupController.CreateVolumeGroupSnapshot', {
        name: 'half',
        source_volume_ids: [one.volume_id, 'vol-nobody'],
      });
      const member = taken.snapshots.find(({ source_volume_id }) => source_volume_id === one.volume_id)!;
      await rig.refused('INVALID_ARGUMENT', driver, 'Controller.DeleteSnapshot', { snapshot_id: member.snapshot_id });
      const listed = await rig.call<{ entries: object[] }>(driver, 'Controller.ListSnapshots', {});
      assert.equal(listed.entries.length, 2, 'a group that failed half-way leaves nothing');

      const back = await rig.volume(driver, { ...create('group-back', files, 32 * mib), ...fromSnapshot(member) });
      const there = rig.target(`${medium}-group-back`);
      await rig.call(driver, 'Node.NodePublishVolume', publish(back, there));
      assert.equal(rig.sh('cat "$1/file"', there), 'before\n');

      const { group_snapshot_id } = taken;
      for (let twice = 0; twice < 2; twice += 1) {
        await rig.call(driver, 'GroupController.DeleteVolumeGroupSnapshot', { group_snapshot_id });
      }
      await rig.refused('NOT_FOUND', driver, 'GroupController.GetVolumeGroupSnapshot', { group_snapshot_id });
      assert.deepEqual((await rig.call<{ entries: object[] }>(driver, 'Controller.ListSnapshots', {})).entries, []);
    });
  }
});
