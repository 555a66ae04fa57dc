import { constants, closeSync, fstatSync, openSync, statfsSync } from 'node:fs';
import {
  defaultChunkSize,
  type Entry,
  openVolume,
  readEntries,
  type RoundDocument,
  type VolumeStore,
  displayPath,
} from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import { openLocation } from '../location/index.ts';
import { Cursor } from './cursor.ts';
import { EarlierChunks, knownChunks } from './earlier.ts';
import { holesOf } from './holes.ts';
import { lockVolume } from './lock.ts';
import { ManifestBuilder, type Slot } from './manifest.ts';
import type { OutTask, ReadItem, ReadResult } from './out-stream.ts';
import { Pool } from './pool.ts';
import { Problems } from './problems.ts';
import type { CopyOutJob, MoverResult } from './protocol.ts';
import type { Run } from './run.ts';
import { entryOf, isUnchanged, LinkedFiles, seesTrustedAttributes, totalOf, vanished, walk } from './scan.ts';
import { deviceSize } from './sys.ts';
import { isGone, Tree } from './tree.ts';

/** A task is one big file's range of this many chunks, or small files up to its bytes. */
const chunksPerTask = 8;
const filesPerTask = 128;
/** Entries, and references to chunks, that wait in memory for what is before them in the manifest. */
const mostWaiting = 2048;
const mostHeld = 16_384;
/** statfs types whose inode numbers and ctimes are real: ext, xfs, btrfs, f2fs, tmpfs, zfs. Others are always hashed. */
const trusted = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x01021994, 0x2fc12fc1]);
/**
 * A file is taken for unchanged only when it was at rest for this many seconds before the newest change in its round. A snapshot of a block
 * device may hold the new times of a file before its new data: the journal carries times at once, overwritten pages are written back after
 * half a minute or later. (Clocks that tick in steps of 2 s are covered by it.)
 */
const settled = 300;

/** Copies a volume into the archive as one round. Read top down: open, what is known, walk, read, commit. */
export async function copyOut(job: CopyOutJob, run: Run): Promise<MoverResult> {
  const started = performance.now();
  const location = openLocation(job.archive.location, run.relay === undefined ? {} : { relay: run.relay });
  const store = await openVolume({ location, lineage: job.archive.lineage, key: job.archive.key, volume: job.volume }, run.signal);
  const committed = await store.findRound(job.round, run.signal);
  // The answer of a run that had finished was lost: a round is never written twice.
  if (committed !== undefined) return resultOf(committed.document, committed.hash, run, started);
  // A parent that retention deleted costs a full copy, nothing else.
  const parent = job.parent === undefined ? undefined : (await store.claimParent(job.parent, job.round, run.signal))?.document;
  if (parent !== undefined && parent.mode !== job.source.mode)
    throw new TranshipError('InvalidInput', `Round ${parent.round} of ${job.volume} is of a ${parent.mode} volume.`);
  const unlock = await lockVolume(job.source, 'shared', run.signal);
  run.phase('scan', true);
  const known = await knownChunks(store, job.round, parent, run.signal);
  const chunkSize = parent?.chunkSize ?? defaultChunkSize;
  const pool = new Pool(run, { role: 'tranship-stream', job, meter: run.meter.shared, chunkSize, known: known.share() }, 3);
  try {
    const writer = store.packWriter(job.round, {
      throttle: async (bytes) => run.meter.add('bytesTransferred', bytes),
      signal: run.signal,
      overlap: false,
      little: true,
    });
    const shardsBefore = new Map(parent?.shards.map((ref) => [ref[0], ref]));
    const manifest = new ManifestBuilder({
      find: (digest, length) => shardsBefore.get(digest) ?? known.find(digest, length),
      append: async (plain, digest) => await writer.append(plain, digest),
    });
    const copy = new RoundCopy(job, run, store, pool, manifest, chunkSize);
    const trustBefore = job.source.mode === 'Block' ? await copy.device(parent) : await copy.files(parent);
    run.phase('copy', false);
    await pool.toAll({ finish: true } satisfies OutTask);
    copy.problems.throwIfAny('read');
    const shards = await copy.manifest.finish();
    await writer.finish();
    run.signal.throwIfAborted();
    const document: RoundDocument = {
      format: 'tranship-round',
      version: 1,
      volume: job.volume,
      round: job.round,
      mode: job.source.mode,
      chunkSize,
      shards,
      files: copy.manifest.files,
      bytes: copy.manifest.bytes,
      bytesChanged: copy.changed,
      ...(trustBefore === undefined ? {} : { trustBefore }),
      notes: copy.notes,
    };
    const { hash, bytes } = await store.commitRound(document, run.signal);
    run.meter.add('bytesTransferred', bytes);
    return resultOf(document, hash, run, started);
  } finally {
    await pool.close();
    await location.close();
    unlock();
  }
}

function resultOf(document: RoundDocument, manifestHash: string, run: Run, started: number): MoverResult {
  return {
    files: document.files,
    bytes: document.bytes,
    bytesChanged: document.bytesChanged,
    bytesTransferred: run.meter.get('bytesTransferred'),
    bytesTargetRead: 0,
    durationMs: Math.round(performance.now() - started),
    notes: document.notes,
    manifestHash,
  };
}

class RoundCopy {
  readonly job: CopyOutJob;
  readonly run: Run;
  readonly #store: VolumeStore;
  readonly pool: Pool;
  readonly manifest: ManifestBuilder;
  readonly problems: Problems;
  readonly notes: { path: string; note: string }[] = [];
  readonly #chunkSize: number;
  readonly #running = new Set<Promise<void>>();
  #batch: { items: ReadItem[]; slots: [slot: Slot, part: number][]; bytes: number } = {
    items: [],
    slots: [],
    bytes: 0,
  };
  readonly #linked = new LinkedFiles();
  #failure: unknown;
  #totalKnown = false;
  changed = 0;

  constructor(job: CopyOutJob, run: Run, store: VolumeStore, pool: Pool, manifest: ManifestBuilder, chunkSize: number) {
    this.job = job;
    this.problems = new Problems(job.volume);
    this.run = run;
    this.#store = store;
    this.pool = pool;
    this.manifest = manifest;
    this.#chunkSize = chunkSize;
  }

  /** A raw device: one entry with all its chunks. */
  async device(parent: RoundDocument | undefined): Promise<undefined> {
    const fd = openSync(this.job.source.path, constants.O_RDONLY);
    let size: number;
    try {
      const stat = fstatSync(fd);
      if (!stat.isBlockDevice()) throw new TranshipError('InvalidInput', `${this.job.source.path} is no block device.`);
      size = deviceSize(fd);
    } finally {
      closeSync(fd);
    }
    this.#counted({ bytes: size, files: 1 });
    const earlier = parent === undefined ? undefined : await this.#earlierEntries(parent).at('');
    await this.#content({ path: '', type: 'device', size }, 0n, earlier);
    await this.#drain();
    return undefined;
  }

  /** A file system: returns the `trustBefore` of this round. */
  async files(parent: RoundDocument | undefined): Promise<number | undefined> {
    const scanStart = Math.floor(Date.now() / 1000);
    const fileSystem = statfsSync(this.job.source.path).type;
    const trust = trusted.has(fileSystem);
    const tree = new Tree(this.job.source.path);
    const before = parent === undefined ? undefined : this.#earlierEntries(parent);
    const total = await totalOf(tree);
    if (total !== undefined) this.#counted(total);
    let newest = 0;
    let labels = 0;
    if (!seesTrustedAttributes())
      this.#note('', 'trusted.* attributes, if there are any, are not carried: only CAP_SYS_ADMIN can see them');
    const skipped = (path: string, error: unknown): void => {
      if (vanished(path, error)) this.#note(path, 'vanished while it was read');
      else this.problems.add(path, error);
    };
    for await (const found of walk(tree, skipped)) {
      this.run.signal.throwIfAborted();
      let entry: Entry | 'socket';
      try {
        entry = entryOf(tree, found, () => void labels++);
      } catch (error) {
        if (isGone(error)) this.#note(found.path, 'vanished while it was read');
        else this.problems.add(found.path, error);
        continue;
      }
      if (entry === 'socket') {
        this.#note(found.path, 'socket left out: it belongs to a running process');
        continue;
      }
      newest = Math.max(newest, Number(found.stat.ctimeNs / 1_000_000_000n));
      const earlier = await before?.at(found.path);
      if (entry.type !== 'directory' && found.stat.nlink > 1n) {
        const first = this.#linked.first(found.stat, found.path);
        if (first !== undefined) entry = { path: found.path, type: 'hardlink', link: first };
      }
      if (entry.type !== 'file') {
        this.manifest.add(entry);
        this.#total(0, entry.type === 'directory' ? 0 : 1);
        if (entry.type !== 'directory') this.run.meter.add('filesDone', 1);
      } else {
        this.#total(entry.size ?? 0, 1);
        if (trust && isUnchanged(entry, earlier, parent?.trustBefore)) this.#reuse(entry, earlier);
        else await this.#content(entry, found.stat.mtimeNs, earlier, tree);
      }
      await this.#bound();
    }
    tree.close();
    await this.#drain();
    if (labels > 0)
      this.#note('', `SELinux labels of ${labels} paths are not carried: the target's kubelet labels volumes when it mounts them`);
    return trust ? Math.min(scanStart, newest) - settled : undefined;
  }

  #earlierEntries(parent: RoundDocument): Cursor<Entry> {
    return new Cursor(readEntries(this.#store, parent, this.run.signal));
  }

  #reuse(entry: Entry, earlier: Entry | undefined): void {
    if (earlier?.chunks !== undefined) entry.chunks = earlier.chunks;
    if (earlier?.lists !== undefined) entry.lists = earlier.lists;
    if (earlier?.used !== undefined) entry.used = earlier.used;
    this.manifest.add(entry);
    this.run.meter.add('bytesDone', entry.size ?? 0);
    this.run.meter.add('filesDone', 1);
  }

  /** Puts the content of an entry into tasks: small files share one, big ones are split. */
  async #content(entry: Entry, mtime: bigint, earlier: Entry | undefined, tree?: Tree): Promise<void> {
    const size = entry.size ?? 0;
    const chunks = Math.ceil(size / this.#chunkSize);
    const slot = this.manifest.open(entry, earlier);
    const before = earlier === undefined ? undefined : new EarlierChunks(this.#store, earlier, this.run.signal);
    const holes = entry.sparse === true && chunks > chunksPerTask && tree !== undefined ? holesOf(tree, entry) : undefined;
    try {
      for (let from = 0; from < chunks; from += chunksPerTask) {
        if (holes !== undefined) {
          const data = holes.nextData(from * this.#chunkSize);
          const next = data === undefined ? chunks : Math.floor(data / (chunksPerTask * this.#chunkSize)) * chunksPerTask;
          if (next > from) this.run.meter.add('bytesDone', Math.min(size, next * this.#chunkSize) - from * this.#chunkSize);
          from = Math.max(from, next);
          if (from >= chunks) break;
        }
        const to = Math.min(chunks, from + chunksPerTask);
        const refs = await before?.range(from, to);
        this.#batch.items.push({
          path: entry.path,
          size,
          from,
          to,
          mtime,
          inode: entry.seen?.[0],
          ...(refs === undefined ? {} : { earlier: refs }),
        });
        this.#batch.slots.push([slot, slot.expect()]);
        this.#batch.bytes += Math.min(size, to * this.#chunkSize) - from * this.#chunkSize;
        if (this.#batch.bytes >= chunksPerTask * this.#chunkSize || this.#batch.items.length >= filesPerTask) {
          await this.#dispatch();
          await this.#bound();
        }
      }
    } finally {
      if (holes?.close() === true) this.#note(entry.path, 'changed while it was read');
    }
    slot.close();
    if (slot.complete) this.run.meter.add('filesDone', 1);
  }

  async #dispatch(): Promise<void> {
    const { items, slots } = this.#batch;
    if (items.length === 0) return;
    this.#batch = { items: [], slots: [], bytes: 0 };
    const { done } = await this.pool.submit<ReadResult[]>({ items } satisfies OutTask);
    const take = async (): Promise<void> => {
      try {
        for (const [index, result] of (await done).entries()) this.#accept(result, slots[index], items[index]);
      } catch (error) {
        this.#failure ??= error;
      }
    };
    const running = take();
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    if (this.#failure !== undefined) throw this.#failure;
  }

  #accept(result: ReadResult, place: [Slot, number] | undefined, item: ReadItem | undefined): void {
    if (place === undefined || item === undefined) return;
    const [slot, part] = place;
    if (result.outcome === 'gone' && !slot.dropped) {
      const other = this.manifest.otherName(slot.entry.path, item.path);
      if (other !== undefined) {
        this.#batch.items.push({ ...item, path: other });
        this.#batch.slots.push(place);
        return;
      }
      this.#linked.forget(slot.entry.path);
    }
    slot.fill(part, result.chunks);
    this.changed += result.changed;
    if (slot.complete) this.run.meter.add('filesDone', 1);
    if (result.problem !== undefined) this.problems.add(item.path, result.problem);
    if (result.outcome === 'changed' && !slot.dropped && !slot.noted) {
      slot.noted = true;
      this.#note(item.path, 'changed while it was read');
    }
    if (result.outcome === 'gone') {
      if (!slot.dropped) this.#note(slot.entry.path, 'vanished while it was read');
      slot.dropped = true;
    }
  }

  /** Writes out what can be, and waits while more is in memory than may be. */
  async #bound(): Promise<void> {
    if (this.manifest.waiting > 256 || this.manifest.held > mostHeld / 4) await this.manifest.flush();
    while (this.manifest.waiting > mostWaiting || this.manifest.held > mostHeld) await this.#step();
  }

  async #step(): Promise<void> {
    if (this.#running.size === 0) await this.#dispatch();
    await Promise.race(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
    await this.manifest.flush();
  }

  async #drain(): Promise<void> {
    do {
      await this.#dispatch();
      while (this.#running.size > 0) await this.#step();
      // What vanished under one name is read again under another.
    } while (this.#batch.items.length > 0);
    if (this.#failure !== undefined) throw this.#failure;
    await this.manifest.flush();
  }

  /** The total is known, and does not grow any more. */
  #counted({ bytes, files }: { bytes: number; files: number }): void {
    this.#total(bytes, files);
    this.#totalKnown = true;
    this.run.phase('copy', false);
  }

  #total(bytes: number, files: number): void {
    if (this.#totalKnown) return;
    this.run.meter.add('bytesTotal', bytes);
    this.run.meter.add('filesTotal', files);
  }

  #note(path: string, note: string): void {
    if (this.notes.length < 1000) this.notes.push({ path: displayPath(path), note });
  }
}
