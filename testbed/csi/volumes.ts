/** The volume half of the Controller service. */
import { randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { checkParameters, modeOf } from './capabilities.ts';
import type { Driver } from './driver.ts';
import type { ContentSource, CreateVolumeRequest, ExpandRequest, ListRequest, ValidateRequest, Volume } from './messages.ts';
import { bindsOf, readMounts } from './mounts.ts';
import { page } from './paging.ts';
import type { SnapshotRecord, VolumeMode, VolumeRecord } from './records.ts';
import { chooseSize, fits } from './sizes.ts';
import { CsiError, required } from './status.ts';

export async function createVolume(driver: Driver, request: CreateVolumeRequest): Promise<{ volume: Volume }> {
  const name = required('name', request.name);
  const mode = modeOf(request.volume_capabilities);
  checkParameters(request.parameters);
  checkTopology(driver, request);
  const wanted = sourceOf(request.volume_content_source);
  return driver.locks.hold([`volume-name:${name}`, ...lockOf(wanted)], async () => {
    const existing = driver.volumes.named(name);
    if (existing !== undefined) {
      checkSame(existing, mode, wanted, request);
      return { volume: describe(driver, existing) };
    }
    const source = wanted === undefined ? undefined : findSource(driver, wanted, mode);
    const medium = driver.mediumOf({ mode });
    const bytes = chooseSize(request.capacity_range, medium.leastBytes, source?.record.bytes);
    const record: VolumeRecord = {
      id: `vol-${randomUUID()}`,
      name,
      mode,
      bytes,
      created: new Date().toISOString(),
      ...(wanted === undefined ? {} : { source: wanted }),
    };
    const place = driver.volumePlace(record);
    try {
      if (source === undefined) await medium.create(place, bytes);
      else await medium.copy(source.place, place, { snapshot: false, bytes });
    } catch (error) {
      await medium.remove(place);
      throw error;
    }
    await driver.volumes.put(record);
    return { volume: describe(driver, record) };
  });
}

export async function deleteVolume(driver: Driver, request: { volume_id: string }): Promise<object> {
  const id = required('volume_id', request.volume_id);
  return driver.locks.hold([`volume:${id}`], async () => {
    const record = driver.volumes.find(id);
    if (record === undefined) return {};
    if ((await publishedAt(driver, record)).length > 0) {
      throw new CsiError('FAILED_PRECONDITION', `Volume "${id}" is still published on node ${driver.config.nodeId}.`);
    }
    await driver.removeVolume(record);
    return {};
  });
}

/** Grows at once, also while in use; only a file system inside an image waits for the node's part. */
export async function expandVolume(driver: Driver, request: ExpandRequest): Promise<object> {
  const id = required('volume_id', request.volume_id);
  if (request.capacity_range == null) throw new CsiError('INVALID_ARGUMENT', 'The request has no capacity range.');
  return driver.locks.hold([`volume:${id}`], async () => {
    const record = driver.volume(id);
    const medium = driver.mediumOf(record);
    const { limit_bytes: limit } = request.capacity_range ?? { limit_bytes: 0 };
    if (limit !== 0 && limit < record.bytes) throw new CsiError('OUT_OF_RANGE', `Volume "${id}" is larger than the limit already.`);
    const asked = chooseSize(request.capacity_range, medium.leastBytes);
    const bytes = Math.max(asked, record.bytes); // a volume never shrinks
    // Also when the record says so already: a process killed in between may not have grown the devices.
    await medium.resize(driver.volumePlace(record), bytes);
    if (bytes !== record.bytes) await driver.volumes.put({ ...record, bytes });
    return { capacity_bytes: bytes, node_expansion_required: medium.growsMounted };
  });
}

export async function listVolumes(driver: Driver, request: ListRequest): Promise<object> {
  const { items, next_token } = page(driver.volumes.all(), request);
  return { entries: items.map((record) => ({ volume: describe(driver, record) })), next_token };
}

export async function validateCapabilities(driver: Driver, request: ValidateRequest): Promise<object> {
  const record = driver.volume(required('volume_id', request.volume_id));
  const mode = modeOf(request.volume_capabilities);
  checkParameters(request.parameters);
  if (mode !== record.mode) return { message: `The volume is of mode ${record.mode}, not ${mode}.` };
  const { volume_context, volume_capabilities, parameters } = request;
  return { confirmed: { volume_context, volume_capabilities, parameters } };
}

export async function getCapacity(driver: Driver): Promise<object> {
  const { bavail, bsize } = await statfs(driver.root);
  return { available_capacity: bavail * bsize };
}

/** The places where pods see this volume. */
export async function publishedAt(driver: Driver, record: VolumeRecord): Promise<string[]> {
  const source = await driver.mediumOf(record).attached(driver.volumePlace(record));
  if (source === undefined) return [];
  return bindsOf(await readMounts(), source, driver.config.kubeletRoot).map((mount) => mount.mountPoint);
}

type Source = NonNullable<VolumeRecord['source']>;

function sourceOf(source: ContentSource | null | undefined): Source | undefined {
  if (source == null) return undefined;
  if (source.snapshot != null) return { snapshot: required('snapshot_id', source.snapshot.snapshot_id) };
  if (source.volume != null) return { volume: required('volume_id', source.volume.volume_id) };
  throw new CsiError('INVALID_ARGUMENT', 'The volume content source is neither a snapshot nor a volume.');
}

function lockOf(source: Source | undefined): string[] {
  if (source === undefined) return [];
  return ['snapshot' in source ? `snapshot:${source.snapshot}` : `volume:${source.volume}`];
}

function findSource(driver: Driver, source: Source, mode: VolumeMode): { record: VolumeRecord | SnapshotRecord; place: string } {
  const isSnapshot = 'snapshot' in source;
  const record = isSnapshot ? driver.snapshot(source.snapshot) : driver.volume(source.volume);
  if (record.mode !== mode) {
    throw new CsiError('INVALID_ARGUMENT', `A volume of mode ${mode} cannot be made from "${record.id}", which is of mode ${record.mode}.`);
  }
  return { record, place: isSnapshot ? driver.snapshotPlace(record) : driver.volumePlace(record) };
}

function checkSame(existing: VolumeRecord, mode: VolumeMode, source: Source | undefined, request: CreateVolumeRequest): void {
  if (existing.deleting === true) throw new CsiError('ABORTED', `A volume "${existing.name}" is being deleted.`);
  const same = existing.mode === mode && fits(existing.bytes, request.capacity_range);
  if (same && JSON.stringify(existing.source) === JSON.stringify(source)) return;
  throw new CsiError('ALREADY_EXISTS', `There is a volume "${existing.name}" of another mode, size or source.`);
}

function checkTopology(driver: Driver, request: CreateVolumeRequest): void {
  const requisite = request.accessibility_requirements?.requisite ?? [];
  const [[key, here] = ['', '']] = Object.entries(driver.topology().segments);
  if (requisite.length === 0 || requisite.some(({ segments }) => segments[key] === here)) return;
  throw new CsiError('RESOURCE_EXHAUSTED', `The volume is wanted on other nodes than ${here}.`);
}

function describe(driver: Driver, record: VolumeRecord): Volume {
  return {
    volume_id: record.id,
    capacity_bytes: record.bytes,
    accessible_topology: [driver.topology()],
    ...(record.source === undefined ? {} : { content_source: describeSource(record.source) }),
  };
}

function describeSource(source: Source): ContentSource {
  return 'snapshot' in source ? { snapshot: { snapshot_id: source.snapshot } } : { volume: { volume_id: source.volume } };
}
