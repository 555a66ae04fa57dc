/**
 * The control side of an archive: restore points, captured objects and reports of one lineage. Volume data is written and read by the
 * mover. Nobody outside this room knows a stored name.
 */
import type { Json } from '../api/object.ts';

export interface RestorePointDocument {
  name: string;
  lineage: string;
  createdAt: string;
  cluster: { id: string; name: string; version: string };
  namespaces: string[];
  /** Number of captured objects, and the section that holds them. */
  objects: number;
  volumes: {
    volume: string;
    round: number;
    namespace: string;
    claim: string;
    mode: 'Filesystem' | 'Block';
    capacityBytes: number;
    manifestHash: string;
  }[];
}

export interface Archive {
  readonly lineage: string;
  /** Writes a named section (captured objects, plan, report) as encrypted, compressed JSON. Written once: the same name and another content is a Conflict. */
  writeSection(point: string, section: string, content: Json): Promise<{ bytes: number }>;
  readSection(point: string, section: string): Promise<Json>;
  /**
   * Commits the restore point: only after this call do readers see it. Its rounds are kept from deletion first.
   * @throws TranshipError Conflict when a round of it, or a restore point of this name, was deleted
   */
  commit(document: RestorePointDocument): Promise<void>;
  /** Without those that are being deleted. */
  restorePoints(): Promise<RestorePointDocument[]>;
  /** True when retention gave up this round, so that its number cannot be committed any more. */
  isGivenUp(volume: string, round: number): Promise<boolean>;
  /** Objects and bytes that this lineage holds in the store. */
  usage(): Promise<{ objects: number; bytes: number }>;
}
