/** The snapshot half of the Controller service. */
import { randomUUID } from 'node:crypto';
import { checkParameters } from './capabilities.ts';
import type { Driver } from './driver.ts';
import type { CreateSnapshotRequest, ListSnapshotsRequest, Snapshot } from './messages.ts';
import { page } from './paging.ts';
import type { SnapshotRecord } from './records.ts';
import { CsiError, required } from './status.ts';

/** A snapshot is ready when this returns: the copying media copy meanwhile, and a caller that asks again waits with the first. */
export async function createSnapshot(driver: Driver, request: CreateSnapshotRequest): Promise<{ snapshot: Snapshot }> {
  const name = required('name', request.name);
  const source = required('source_volume_id', request.source_volume_id);
  checkParameters(request.parameters);
  return driver.locks.hold([`snapshot-name:${name}`, `volume:${source}`], async () => {
    const existing = driver.snapshots.named(name);
    if (existing !== undefined) {
      if (existing.deleting === true) throw new CsiError('ABORTED', `A snapshot "${name}" is being deleted.`);
      if (existing.volume === source) return { snapshot: describeSnapshot(existing) };
      throw new CsiError('ALREADY_EXISTS', `There is a snapshot "${name}" of volume "${existing.volume}".`);
    }
    return { snapshot: describeSnapshot(await makeSnapshot(driver, { name, volume: source })) };
  });
}

/** The caller holds the volume's lock. */
export async function makeSnapshot(driver: Driver, what: Pick<SnapshotRecord, 'name' | 'volume' | 'group'>): Promise<SnapshotRecord> {
  const { mode, bytes } = driver.volume(what.volume);
  const record: SnapshotRecord = { id: `snap-${randomUUID()}`, ...what, mode, bytes, created: new Date().toISOString() };
  const medium = driver.mediumOf(record);
  const place = driver.snapshotPlace(record);
  try {
    await medium.copy(driver.volumePlace({ id: what.volume, mode }), place, { snapshot: true, bytes });
  } catch (error) {
    await medium.remove(place);
    throw error;
  }
  await driver.snapshots.put(record);
  return record;
}

export async function deleteSnapshot(driver: Driver, request: { snapshot_id: string }): Promise<object> {
  const id = required('snapshot_id', request.snapshot_id);
  return driver.locks.hold([`snapshot:${id}`], async () => {
    const record = driver.snapshots.find(id);
    if (record?.group !== undefined) {
      throw new CsiError('INVALID_ARGUMENT', `Snapshot "${id}" is part of the group snapshot "${record.group.id}", and goes with it only.`);
    }
    if (record !== undefined) await driver.removeSnapshot(record);
    return {};
  });
}

/** An unknown identifier is an empty list, not an error: that is how the cluster asks whether a handle exists. */
export async function listSnapshots(driver: Driver, request: ListSnapshotsRequest): Promise<object> {
  const { snapshot_id: id, source_volume_id: source } = request;
  const matching = driver.snapshots
    .all()
    .filter((record) => (id === '' || record.id === id) && (source === '' || record.volume === source));
  const { items, next_token } = page(matching, request);
  return { entries: items.map((record) => ({ snapshot: describeSnapshot(record) })), next_token };
}

export async function getSnapshot(driver: Driver, request: { snapshot_id: string }): Promise<object> {
  return { snapshot: describeSnapshot(driver.snapshot(required('snapshot_id', request.snapshot_id))) };
}

export function describeSnapshot(record: SnapshotRecord): Snapshot {
  const ms = Date.parse(record.created);
  return {
    snapshot_id: record.id,
    source_volume_id: record.volume,
    size_bytes: record.bytes,
    creation_time: { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 },
    ready_to_use: true,
    ...(record.group === undefined ? {} : { group_snapshot_id: record.group.id }),
  };
}
