/**
 * What the driver remembers: one JSON file per volume and per snapshot, written by rename, so that a killed driver finds each either
 * as it was or as it should be. A record is written after its data is complete and removed after its data is gone.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TranshipError } from '#src/errors.ts';

export type VolumeMode = 'filesystem' | 'block';

interface CommonRecord {
  id: string;
  /** The name the cluster asked for; a second request with it must get the same thing. */
  name: string;
  mode: VolumeMode;
  bytes: number;
  /** ISO time. */
  created: string;
  /** Deletion has begun and must be finished; the data may be incomplete. */
  deleting?: true;
}

export interface VolumeRecord extends CommonRecord {
  /** What it was filled from; the source may be gone since. */
  source?: { snapshot: string } | { volume: string };
}

export interface SnapshotRecord extends CommonRecord {
  volume: string;
  /** The group it was taken in, and how many snapshots that has when it is whole. */
  group?: { id: string; name: string; members: number };
}

/** The records of one kind, in memory and in one directory. */
export class Records<T extends CommonRecord> {
  readonly #directory: string;
  readonly #byId: Map<string, T>;

  private constructor(directory: string, byId: Map<string, T>) {
    this.#directory = directory;
    this.#byId = byId;
  }

  /** Reads a directory, which is made when missing. @throws TranshipError Integrity on a file that is not a record. */
  static async open<T extends CommonRecord>(directory: string): Promise<Records<T>> {
    await mkdir(directory, { recursive: true });
    const byId = new Map<string, T>();
    for (const file of await readdir(directory)) {
      const full = path.join(directory, file);
      // Left over from a write that was killed before its rename.
      if (!file.endsWith('.json')) await rm(full, { force: true });
      else byId.set(path.basename(file, '.json'), parseRecord(full, await readFile(full, 'utf8')) as T);
    }
    return new Records(directory, byId);
  }

  /** By identifier; one that is being deleted counts as gone. */
  get(id: string): T | undefined {
    const record = this.#byId.get(id);
    return record?.deleting === true ? undefined : record;
  }

  /** By the cluster's name for it, also when it is being deleted. */
  named(name: string): T | undefined {
    return this.#byId.values().find((record) => record.name === name);
  }

  /** By identifier, also when it is being deleted. */
  find(id: string): T | undefined {
    return this.#byId.get(id);
  }

  /** All, sorted by identifier; those being deleted only when asked for. */
  all({ deleting = false } = {}): T[] {
    const wanted = [...this.#byId.values()].filter((record) => (record.deleting === true) === deleting);
    return wanted.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async put(record: T): Promise<void> {
    const file = path.join(this.#directory, `${record.id}.json`);
    await writeFile(`${file}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
    await rename(`${file}.new`, file);
    this.#byId.set(record.id, record);
  }

  async remove(id: string): Promise<void> {
    await rm(path.join(this.#directory, `${id}.json`), { force: true });
    this.#byId.delete(id);
  }
}

function parseRecord(file: string, text: string): CommonRecord {
  try {
    const record = JSON.parse(text) as CommonRecord;
    const sound = record.id === path.basename(file, '.json') && typeof record.name === 'string' && Number.isSafeInteger(record.bytes);
    if (sound && (record.mode === 'filesystem' || record.mode === 'block')) return record;
  } catch {
    // The sentence below says it.
  }
  throw new TranshipError('Integrity', `${file} is not a record of this driver.`, { hint: 'Remove it, or the whole state directory.' });
}
