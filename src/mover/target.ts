import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { openVolume, readEntries, type Entry, type RoundDocument, type VolumeStore } from '../archive/index.ts';
import { codeOf, TranshipError } from '../errors.ts';
import { type Location, openLocation } from '../location/index.ts';
import { Cursor } from './cursor.ts';
import { Pool } from './pool.ts';
import type { CopyInJob, VerifyJob } from './protocol.ts';
import type { Run } from './run.ts';
import { deviceSize } from './sys.ts';
import { Tree } from './tree.ts';

/** What the target may hold before the copy. */
export type Knowledge =
  | { kind: 'fresh' }
  /** It is in one of these rounds, or a mixture of them. */
  | { kind: 'rounds'; documents: RoundDocument[] }
  | { kind: 'unknown' };

/** An opened archive, the round to bring, and streams: what copy-in and verify start from. */
export interface TargetSession {
  store: VolumeStore;
  location: Location;
  document: RoundDocument;
  manifestHash: string;
  pool: Pool;
  entries(): Cursor<Entry>;
  close(): Promise<void>;
}

export async function openTargetSession(job: CopyInJob | VerifyJob, run: Run): Promise<TargetSession> {
  const location = openLocation(job.archive.location, run.relay === undefined ? {} : { relay: run.relay });
  const store = await openVolume({ location, lineage: job.archive.lineage, key: job.archive.key, volume: job.volume }, run.signal);
  const { document, hash } = await store.readRound(job.round, run.signal);
  if (document.mode !== job.target.mode)
    throw new TranshipError(
      'InvalidInput',
      `Round ${job.round} of ${job.volume} is of a ${document.mode} volume, the target is ${job.target.mode}.`,
    );
  const pool = new Pool(run, { role: 'tranship-stream', job, meter: run.meter.shared, chunkSize: document.chunkSize }, 3);
  return {
    store,
    location,
    document,
    manifestHash: hash,
    pool,
    entries: () => new Cursor(readEntries(store, document, run.signal)),
    async close() {
      await pool.close();
      await location.close();
    },
  };
}

/** What may be taken as known of the target: nothing more than the job says and the archive still has. */
export async function knowledgeOf(job: CopyInJob, session: TargetSession, signal: AbortSignal): Promise<Knowledge> {
  if (job.have !== undefined) {
    try {
      const documents: RoundDocument[] = [];
      for (const round of new Set([job.have, ...(job.begun ?? [])]))
        documents.push((await session.store.readRound(round, signal)).document);
      if (documents.every((document) => document.chunkSize === session.document.chunkSize)) return { kind: 'rounds', documents };
    } catch (error) {
      // A round that was deleted meanwhile says nothing about the target any more: it is compared.
      if (codeOf(error) !== 'NotFound') throw error;
    }
    return { kind: 'unknown' };
  }
  if (!job.fresh) return { kind: 'unknown' };
  // Raw devices are written in full when fresh, zeros too, so nothing needs to be believed. A file system shows whether it is empty.
  if (job.target.mode === 'Block') return { kind: 'fresh' };
  const tree = new Tree(job.target.path);
  const empty = tree.list('').length === 0;
  tree.close();
  return { kind: empty ? 'fresh' : 'unknown' };
}

/** Refuses a device that is too small before a byte is written. */
export function checkDevice(path: string, wanted: number): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    if (!fstatSync(fd).isBlockDevice()) throw new TranshipError('InvalidInput', `${path} is no block device.`);
    const size = deviceSize(fd);
    if (size < wanted)
      throw new TranshipError('NoSpace', `The target device has ${size} bytes, the source has ${wanted}.`, {
        hint: 'Make the target claim at least as large as the source.',
      });
  } finally {
    closeSync(fd);
  }
}
