/**
 * One driver of the node: its places on disk, its records, and what its volumes are made of. Opening it brings everything that an
 * earlier, perhaps killed, process left behind into order.
 */
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { block } from './block.ts';
import { btrfs, openPool } from './btrfs.ts';
import { ext4, thawAll } from './ext4.ts';
import type { MediumKind } from './flags.ts';
import { KeyLocks } from './locks.ts';
import type { Medium } from './medium.ts';
import { plain } from './plain.ts';
import type { SnapshotRecord, VolumeMode, VolumeRecord } from './records.ts';
import { Records } from './records.ts';
import { CsiError } from './status.ts';

export interface DriverConfig {
  name: string;
  medium: MediumKind;
  nodeId: string;
  /** The state directory of all drivers; this one keeps to `stateDir/name`. */
  stateDir: string;
  kubeletRoot: string;
  poolBytes: number;
}

const filesystems: Record<MediumKind, Medium> = { plain, btrfs, ext4 };

export class Driver {
  readonly config: DriverConfig;
  /** Holds `volumes/` and `snapshots/` with the data. */
  readonly root: string;
  readonly volumes: Records<VolumeRecord>;
  readonly snapshots: Records<SnapshotRecord>;
  readonly locks = new KeyLocks();

  private constructor(config: DriverConfig, root: string, volumes: Records<VolumeRecord>, snapshots: Records<SnapshotRecord>) {
    this.config = config;
    this.root = root;
    this.volumes = volumes;
    this.snapshots = snapshots;
  }

  /** Mounts the pool if the driver has one, reads the records, and removes data that no record knows. */
  static async open(config: DriverConfig): Promise<Driver> {
    const home = path.join(config.stateDir, config.name);
    const root = path.join(home, 'data');
    await mkdir(root, { recursive: true, mode: 0o700 });
    if (config.medium === 'btrfs') await openPool(path.join(home, 'pool.img'), root, config.poolBytes);
    if (config.medium === 'ext4') await thawAll(root);
    for (const kind of ['volumes', 'snapshots']) await mkdir(path.join(root, kind), { recursive: true, mode: 0o700 });
    const volumes = await Records.open<VolumeRecord>(path.join(home, 'volumes'));
    const snapshots = await Records.open<SnapshotRecord>(path.join(home, 'snapshots'));
    const driver = new Driver(config, root, volumes, snapshots);
    await driver.#tidy();
    return driver;
  }

  /** What a volume or snapshot of this mode is made of. */
  mediumOf(record: { mode: VolumeMode }): Medium {
    return record.mode === 'block' ? block : filesystems[this.config.medium];
  }

  volumePlace(volume: { id: string; mode: VolumeMode }): string {
    return path.join(this.root, 'volumes', volume.id + this.mediumOf(volume).extension);
  }

  snapshotPlace(snapshot: { id: string; mode: VolumeMode }): string {
    return path.join(this.root, 'snapshots', snapshot.id + this.mediumOf(snapshot).extension);
  }

  /** @throws CsiError NOT_FOUND */
  volume(id: string): VolumeRecord {
    const record = this.volumes.get(id);
    if (record === undefined) throw new CsiError('NOT_FOUND', `There is no volume "${id}".`);
    return record;
  }

  /** @throws CsiError NOT_FOUND */
  snapshot(id: string): SnapshotRecord {
    const record = this.snapshots.get(id);
    if (record === undefined) throw new CsiError('NOT_FOUND', `There is no snapshot "${id}".`);
    return record;
  }

  /** Where this driver's volumes can be used: on this node only. */
  topology(): { segments: Record<string, string> } {
    return { segments: { [`topology.${this.config.name}/node`]: this.config.nodeId } };
  }

  async removeVolume(volume: VolumeRecord): Promise<void> {
    await this.volumes.put({ ...volume, deleting: true });
    await this.mediumOf(volume).remove(this.volumePlace(volume));
    await this.volumes.remove(volume.id);
  }

  async removeSnapshot(snapshot: SnapshotRecord): Promise<void> {
    await this.snapshots.put({ ...snapshot, deleting: true });
    await this.mediumOf(snapshot).remove(this.snapshotPlace(snapshot));
    await this.snapshots.remove(snapshot.id);
  }

  async #tidy(): Promise<void> {
    for (const volume of this.volumes.all({ deleting: true })) await this.removeVolume(volume);
    for (const snapshot of this.snapshots.all({ deleting: true })) await this.removeSnapshot(snapshot);
    await this.#sweep('volumes', (id) => this.volumes.find(id) !== undefined);
    await this.#sweep('snapshots', (id) => this.snapshots.find(id) !== undefined);
  }

  /** A creation that was killed before its record was written leaves data that nobody can ask for. */
  async #sweep(kind: string, known: (id: string) => boolean): Promise<void> {
    const media = [block, filesystems[this.config.medium]];
    for (const entry of await readdir(path.join(this.root, kind))) {
      const medium = media.find(({ extension }) => entry.endsWith(extension));
      if (medium === undefined || known(entry.slice(0, entry.length - medium.extension.length))) continue;
      await medium.remove(path.join(this.root, kind, entry));
    }
  }
}
