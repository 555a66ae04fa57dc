/** The Node service: volumes into pods and out of them. */
import { mkdir, open, realpath, rm, rmdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { modeOf } from './capabilities.ts';
import type { Driver } from './driver.ts';
import { findLoop } from './loop.ts';
import type { NodeExpandRequest, PublishRequest, StatsRequest, UnpublishRequest } from './messages.ts';
import type { VolumeRecord } from './records.ts';
import { bindMount, covers, mountAt, originOf, readMounts, unmountAll } from './mounts.ts';
import { CsiError, required } from './status.ts';
import { publishedAt } from './volumes.ts';

export async function publishVolume(driver: Driver, request: PublishRequest): Promise<object> {
  const id = required('volume_id', request.volume_id);
  const mode = modeOf([request.volume_capability]);
  const target = await checkedPath(driver, 'target_path', request.target_path);
  return driver.locks.hold([`volume:${id}`, `target:${target}`], async () => {
    const record = driver.volume(id);
    if (record.mode !== mode) throw new CsiError('INVALID_ARGUMENT', `Volume "${id}" is of mode ${record.mode}, not ${mode}.`);
    const source = await driver.mediumOf(record).attach(driver.volumePlace(record));
    const mounts = await readMounts();
    const there = mountAt(mounts, target);
    const origin = originOf(mounts, source);
    if (there !== undefined) {
      const same = there.device === origin?.device && there.root === origin.root && there.options.includes('ro') === request.readonly;
      if (same) return {};
      throw new CsiError('ALREADY_EXISTS', `Something else, or the same with other rights, is mounted at ${target}.`);
    }
    await (mode === 'block' ? touch(target) : mkdir(target, { recursive: true, mode: 0o750 }));
    const flags = request.volume_capability?.mount?.mount_flags ?? [];
    await bindMount(source, target, [...(request.readonly ? ['ro'] : []), ...flags]);
    return {};
  });
}

export async function unpublishVolume(driver: Driver, request: UnpublishRequest): Promise<object> {
  const id = required('volume_id', request.volume_id);
  const target = await checkedPath(driver, 'target_path', request.target_path);
  return driver.locks.hold([`volume:${id}`, `target:${target}`], async () => {
    // A volume that is gone is no reason to refuse: the kubelet would ask for ever.
    const record = driver.volumes.get(id);
    const others = record === undefined ? [] : (await publishedAt(driver, record)).filter((place) => place !== target);
    const release = async (): Promise<void> => {
      if (record !== undefined && others.length === 0) await driver.mediumOf(record).release(driver.volumePlace(record));
    };
    // A loop device stacked on the block device through this very mount keeps it busy.
    if (record?.mode === 'block') await release();
    await unmountAll(target);
    await removeEmpty(target);
    if (record?.mode === 'filesystem') await release();
    return {};
  });
}

/** Bytes and inodes; for a raw block volume its size only. */
export async function volumeStats(driver: Driver, request: StatsRequest): Promise<object> {
  const record = driver.volume(required('volume_id', request.volume_id));
  const where = await publishedPath(driver, record, request.volume_path);
  if (record.mode === 'block') return { usage: [{ unit: 'BYTES', total: record.bytes }] };
  const { bsize, blocks, bavail, bfree, files, ffree } = await statfs(where);
  const bytes = (await driver.mediumOf(record).usage(driver.volumePlace(record))) ?? {
    total: blocks * bsize,
    available: bavail * bsize,
    used: (blocks - bfree) * bsize,
  };
  return {
    usage: [
      { unit: 'BYTES', ...bytes },
      { unit: 'INODES', total: files, available: ffree, used: files - ffree },
    ],
  };
}

/** The node's part of growing: the file system inside an image. Everything else has grown in the controller's part. */
export async function expandOnNode(driver: Driver, request: NodeExpandRequest): Promise<object> {
  const id = required('volume_id', request.volume_id);
  return driver.locks.hold([`volume:${id}`], async () => {
    const record = driver.volume(id);
    await publishedPath(driver, record, request.volume_path);
    const limit = request.capacity_range?.limit_bytes ?? 0;
    if ((request.capacity_range?.required_bytes ?? 0) > record.bytes || (limit !== 0 && limit < record.bytes)) {
      throw new CsiError('OUT_OF_RANGE', `Volume "${id}" has ${record.bytes} bytes; the controller has to grow it first.`);
    }
    await driver.mediumOf(record).growMounted(driver.volumePlace(record));
    return { capacity_bytes: record.bytes };
  });
}

export async function nodeInfo(driver: Driver): Promise<object> {
  return { node_id: driver.config.nodeId, accessible_topology: driver.topology() };
}

async function publishedPath(driver: Driver, record: VolumeRecord, given: string): Promise<string> {
  const where = await checkedPath(driver, 'volume_path', given);
  const mounts = await readMounts();
  const source = await driver.mediumOf(record).attached(driver.volumePlace(record));
  const origin = source === undefined ? undefined : originOf(mounts, source);
  const there = mountAt(mounts, where) ?? (await deviceMount(mounts, record, driver, where));
  if (origin !== undefined && there?.device === origin.device && there.root === origin.root) return where;
  throw new CsiError('NOT_FOUND', `Volume "${record.id}" is not published at ${where}.`);
}

/** For block volumes the kubelet asks by other paths than the target: a link to the device, or a mount of it further on. */
async function deviceMount(mounts: Awaited<ReturnType<typeof readMounts>>, record: VolumeRecord, driver: Driver, where: string) {
  if (record.mode !== 'block') return undefined;
  const device = await findLoop(driver.volumePlace(record));
  if (device === undefined) return undefined;
  const [asked, ours] = await Promise.all([stat(where).catch(() => undefined), stat(device)]);
  return asked?.rdev === ours.rdev ? originOf(mounts, device) : undefined;
}

/**
 * A path of a request, normal and below the kubelet's root, also after its existing part is resolved: nothing that the cluster sends can
 * make us mount or remove elsewhere.
 */
async function checkedPath(driver: Driver, field: string, given: string): Promise<string> {
  const asked = required(field, given);
  const { kubeletRoot } = driver.config;
  const normal = path.normalize(asked).replace(/(?<=.)\/+$/, '');
  const inside = path.isAbsolute(asked) && !asked.split('/').includes('..') && normal !== kubeletRoot && covers(kubeletRoot, normal);
  if (!inside) throw new CsiError('INVALID_ARGUMENT', `The ${field} must lie below ${kubeletRoot}.`);
  const parent = await resolved(path.dirname(normal));
  if (!covers(await realpath(kubeletRoot), parent)) {
    throw new CsiError('INVALID_ARGUMENT', `The ${field} leads out of ${kubeletRoot} through a link.`);
  }
  return path.join(parent, path.basename(normal));
}

/** The real path of the part that exists, with the rest as it is. */
async function resolved(directory: string): Promise<string> {
  try {
    return await realpath(directory);
  } catch {
    return path.join(await resolved(path.dirname(directory)), path.basename(directory));
  }
}

async function touch(target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true, mode: 0o750 });
  await (await open(target, 'a', 0o600)).close();
}

/** Never recursive: if something is left at the place, it is not ours to delete. */
async function removeEmpty(target: string): Promise<void> {
  const there = await stat(target).catch(() => undefined);
  if (there?.isDirectory() === true) await rmdir(target);
  else if (there !== undefined) await rm(target);
}
