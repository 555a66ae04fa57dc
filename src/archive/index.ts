/**
 * The on-store format: lineages, rounds of volumes, packs, restore points and their sections. Everything is encrypted and authenticated here,
 * every object is written once, and what is read back is treated as hostile. Only this room knows a stored name; docs/archive-format.md describes
 * the bytes.
 */
export type { Archive, RestorePointDocument } from './archive.ts';
export { openArchive } from './control.ts';
export { createLineage, checkKey, defaultChunkSize } from './lineage.ts';
export { parseKey } from './keys.ts';
export { openVolume, volumeStore, type VolumeAccess, type VolumeStore } from './volume.ts';
export type { RoundDocument } from './round.ts';
export { type Entry, type EntryType, listSpan, parseEntry, type PlacedChunk } from './entry.ts';
export type { ChunkRef } from './chunk.ts';
export { PackWriter, packTarget } from './pack.ts';
export { KnownChunks } from './known.ts';
export { differing, readChunks, readEntries, ShardWriter, type StoreMeta } from './shards.ts';
export { comparePaths, displayPath, isConfined, parentOf } from './path.ts';
export {
  openRetention,
  type RestorePointUsage,
  type Retention,
  type RetentionOptions,
  type RetentionProgress,
  type RetentionResult,
} from './retention/retention.ts';
