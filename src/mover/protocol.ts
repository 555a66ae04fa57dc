/**
 * The channel between a controller and a mover: JSON lines over the standard input and output of `mover run`, normally carried
 * by `pods/exec`. A line may announce raw bytes that follow it (`"body": N`), used by the relay location only.
 *
 * The controller sends one Job line, then a ping every 5 s; a mover that hears nothing for 30 s, or sees the end of its input, stops
 * (its controller died: what is uploaded stays and is used by the next run). The mover keeps its standard output open to the end,
 * because containerd closes an exec's input when its output ends.
 */
import type { LocationSpec } from '../location/location.ts';

export const protocolVersion = 1;

export interface VolumeEnd {
  mode: 'Filesystem' | 'Block';
  /** Directory of the mounted volume, or device path. */
  path: string;
}

export interface ArchiveAccess {
  location: LocationSpec;
  lineage: string;
  /** 32 bytes, base64: the lineage's data key. Secret. */
  key: string;
}

export interface CopyOutJob {
  op: 'copy-out';
  version: number;
  archive: ArchiveAccess;
  /** Name of the volume in the archive, e.g. `shop/data-postgres-0`. */
  volume: string;
  round: number;
  /** An earlier committed round to compare with; absent: everything is read. */
  parent?: number;
  source: VolumeEnd;
  streams: number;
  bytesPerSecondPerStream?: number;
}

export interface CopyInJob {
  op: 'copy-in';
  version: number;
  archive: ArchiveAccess;
  volume: string;
  round: number;
  /** The round that the target is known to hold completely. Absent: nothing is known, the target is compared and healed. */
  have?: number;
  /** Rounds that were begun on top of `have` and not finished (the mover or its controller died): their changes are written again. */
  begun?: number[];
  /** True for a volume that was just made for us and is empty: nothing needs to be compared. */
  fresh: boolean;
  target: VolumeEnd;
  streams: number;
  bytesPerSecondPerStream?: number;
  verify: 'Touched' | 'All' | 'None';
}

/** Reads the target back and compares it with a round: paths, attributes, chunk hashes. Writes nothing. */
export interface VerifyJob {
  op: 'verify';
  version: number;
  archive: ArchiveAccess;
  volume: string;
  round: number;
  target: VolumeEnd;
  streams: number;
}

/** Reads the lineage's head from the store: can this pod reach it, and is the key right? Asked before an application is stopped. */
export interface ProbeJob {
  op: 'probe';
  version: number;
  archive: ArchiveAccess;
}

/** Work on a volume: what streams are started for. */
export type VolumeJob = CopyOutJob | CopyInJob | VerifyJob;

export type MoverJob = VolumeJob | ProbeJob;

export interface Progress {
  /** scan, copy, sync, verify … */
  phase: string;
  bytesDone: number;
  /** Grows while `growing`: the scan is not finished. */
  bytesTotal: number;
  filesDone: number;
  filesTotal: number;
  growing: boolean;
  /** Bytes sent to or read from the store. */
  bytesTransferred: number;
}

export interface MoverResult {
  files: number;
  /** Logical bytes of the volume's content (without holes for files, used chunks for devices). */
  bytes: number;
  /** Bytes of new chunks in this round (copy-out), written to the target (copy-in), read back (verify). */
  bytesChanged: number;
  bytesTransferred: number;
  /** Bytes read from the target outside verification: 0 for a delta on a known target. */
  bytesTargetRead: number;
  durationMs: number;
  /** Things noted, not lost silently: sockets left out, etc. */
  notes: { path: string; note: string }[];
  /** SHA-256 over the round's manifest: equal on both sides when both hold the same. */
  manifestHash: string;
}

export type MoverEvent =
  | { t: 'hello'; version: number; mover: string }
  | { t: 'progress'; progress: Progress }
  | { t: 'done'; result: MoverResult }
  | { t: 'failed'; code: string; message: string; hint?: string; paths?: { path: string; error: string }[] };

/** What a controller may send after the job. */
export type MoverControl = { t: 'ping' } | { t: 'cancel' };
