/**
 * The GroupController service: snapshots of several volumes with one life. They are taken one right after the other while nothing else
 * touches those volumes through this driver; what writes to them is not held, so between the first and the last lie some milliseconds.
 * Enough to test what a cluster does with groups; a real driver owes write order across them.
 */
import { randomUUID } from 'node:crypto';
import { checkParameters } from './capabilities.ts';
import type { Driver } from './driver.ts';
import type { GroupSnapshot, CreateGroupRequest, GroupRequest } from './messages.ts';
import type { SnapshotRecord } from './records.ts';
import { describeSnapshot, makeSnapshot } from './snapshots.ts';
import { CsiError, required } from './status.ts';

export async function createGroup(driver: Driver, request: CreateGroupRequest): Promise<{ group_snapshot: GroupSnapshot }> {
  const name = required('name', request.name);
  const volumes = request.source_volume_ids.toSorted();
  if (volumes.length === 0) throw new CsiError('INVALID_ARGUMENT', 'The request has no source volumes.');
  checkParameters(request.parameters);
  return driver.locks.hold([`group-name:${name}`, ...volumes.map((id) => `volume:${id}`)], async () => {
    const existing = driver.snapshots.all().filter((record) => record.group?.name === name);
    const same = JSON.stringify(existing.map(({ volume }) => volume).toSorted()) === JSON.stringify(volumes);
    if (existing.length > 0 && existing.length === existing[0]?.group?.members) {
      if (same) return { group_snapshot: describeGroup(existing) };
      throw new CsiError('ALREADY_EXISTS', `There is a group snapshot "${name}" of other volumes.`);
    }
    for (const part of existing) await driver.removeSnapshot(part); // killed in the middle: a group is whole or not there
    const group = { id: `group-${randomUUID()}`, name, members: volumes.length };
    const made: SnapshotRecord[] = [];
    try {
      for (const volume of volumes) made.push(await makeSnapshot(driver, { name: `${name}/${volume}`, volume, group }));
    } catch (error) {
      for (const part of made) await driver.removeSnapshot(part);
      throw error;
    }
    return { group_snapshot: describeGroup(made) };
  });
}

export async function deleteGroup(driver: Driver, request: GroupRequest): Promise<object> {
  const id = required('group_snapshot_id', request.group_snapshot_id);
  const members = driver.snapshots.all().filter((record) => record.group?.id === id);
  return driver.locks.hold([`group:${id}`, ...members.map((record) => `snapshot:${record.id}`)], async () => {
    for (const record of members) if (driver.snapshots.find(record.id) !== undefined) await driver.removeSnapshot(record);
    return {};
  });
}

export async function getGroup(driver: Driver, request: GroupRequest): Promise<{ group_snapshot: GroupSnapshot }> {
  const id = required('group_snapshot_id', request.group_snapshot_id);
  const members = driver.snapshots.all().filter((record) => record.group?.id === id);
  if (members.length === 0) throw new CsiError('NOT_FOUND', `There is no group snapshot "${id}".`);
  return { group_snapshot: describeGroup(members) };
}

function describeGroup(members: readonly SnapshotRecord[]): GroupSnapshot {
  const snapshots = members.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(describeSnapshot);
  const creation_time = snapshots[0]?.creation_time ?? { seconds: 0, nanos: 0 };
  return { group_snapshot_id: members[0]?.group?.id ?? '', snapshots, creation_time, ready_to_use: true };
}
