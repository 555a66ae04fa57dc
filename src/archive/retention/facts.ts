/** What a lineage holds: one listing, and the small documents in it. Nothing is decided here. */
import type { Json } from '../../api/object.ts';
import { TranshipError } from '../../errors.ts';
import { forEachLimited } from '../../parallel.ts';
import type { RestorePointDocument } from '../archive.ts';
import { checkPoint, largestPoint } from '../control.ts';
import { hiddenName, lineagePrefix, parseStored, pointPrefix, retiredPrefix, roundName } from '../names.ts';
import { checkRoundFields, type RoundDocument } from '../round.ts';
import { readUses, type UseLog } from '../uses.ts';
import { isGivenUp, readSealed, type Vault } from '../vault.ts';
import { largestRound } from '../volume.ts';

export interface StoredObject {
  name: string;
  bytes: number;
  /** By the store's clock, milliseconds. */
  modified: number;
}

/** A name that holds a document, or the tombstone of one that never came (GivenUp), or bytes that are not what was written. */
export type Named<Document> = StoredObject &
  ({ state: 'Committed'; document: Document } | { state: 'GivenUp' } | { state: 'Damaged'; error: TranshipError });

export interface VolumeFacts {
  /** Hidden name. */
  id: string;
  /** Known from its rounds; undefined while none is committed. */
  volume: string | undefined;
  rounds: Map<number, Named<RoundDocument>>;
  /** Name in manifests → bytes. A lineage of 1 TiB has some 65,000. */
  packs: Map<string, number>;
  /** When a pack of a round was last written. */
  touched: Map<number, number>;
  /** When the entries of a round's log were written, by number. */
  useTimes: Map<number, Map<number, number>>;
  logs: Map<number, UseLog>;
}

export interface Facts {
  volumes: Map<string, VolumeFacts>;
  /** By hidden name, as are the following. */
  points: Map<string, Named<RestorePointDocument>>;
  /** Marks of restore points that are, or are being, deleted. */
  retired: Set<string>;
  sections: Map<string, StoredObject[]>;
  /** The newest time in the listing: the store's clock is not before it. */
  newest: number;
}

/** Documents that were read before: they are written once, so they stay right. */
export type Documents = Map<string, Json>;

/**
 * Reads what there is. The logs of who uses a round are read only on demand: which of them are closed must be known from before a listing, see
 * docs/adr/0006-retention.md.
 */
export async function readFacts(vault: Vault, documents: Documents, signal?: AbortSignal): Promise<Facts> {
  const facts: Facts = { volumes: new Map(), points: new Map(), retired: new Set(), sections: new Map(), newest: 0 };
  const points: [id: string, object: StoredObject][] = [];
  const rounds: [facts: VolumeFacts, round: number, object: StoredObject][] = [];
  for await (const { name, size, modified } of vault.location.list(lineagePrefix(vault.lineage), signal)) {
    const stored = parseStored(vault.lineage, name);
    facts.newest = Math.max(facts.newest, modified);
    if (stored === undefined) continue; // lineage.json, and what others put here
    const object = { name, bytes: size, modified };
    switch (stored.kind) {
      case 'point':
        points.push([stored.point, object]);
        break;
      case 'retired':
        facts.retired.add(stored.point);
        break;
      case 'section':
        facts.sections.set(stored.point, [...(facts.sections.get(stored.point) ?? []), object]);
        break;
      case 'round':
        rounds.push([volumeOf(facts, stored.volume), stored.round, object]);
        break;
      case 'pack':
        volumeOf(facts, stored.volume).packs.set(stored.pack, size);
        touch(volumeOf(facts, stored.volume), stored.round, modified);
        break;
      case 'use': {
        const times = volumeOf(facts, stored.volume).useTimes;
        times.set(stored.round, (times.get(stored.round) ?? new Map<number, number>()).set(stored.index, modified));
        break;
      }
    }
  }
  await forEachLimited(points, 8, async ([id, object]) => {
    const found = await named(vault, object, documents, largestPoint, (json) => checkPoint(json, vault.lineage), signal);
    if (found !== undefined) facts.points.set(id, found);
  });
  await forEachLimited(rounds, 8, async ([volume, round, object]) => {
    const check = (json: Json): RoundDocument => checkVolumeRound(vault, volume.id, round, json);
    const found = await named(vault, object, documents, largestRound, check, signal);
    if (found?.state === 'Committed') volume.volume = found.document.volume;
    if (found !== undefined) volume.rounds.set(round, found);
  });
  return facts;
}

/** Only the restore points and the marks of those that are being deleted. */
export async function readPoints(vault: Vault, signal?: AbortSignal): Promise<Pick<Facts, 'points' | 'retired'>> {
  const facts: Pick<Facts, 'points' | 'retired'> = { points: new Map(), retired: new Set() };
  const check = (json: Json): RestorePointDocument => checkPoint(json, vault.lineage);
  const idOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
  for await (const { name } of vault.location.list(retiredPrefix(vault.lineage), signal)) facts.retired.add(idOf(name));
  for await (const { name, size, modified } of vault.location.list(pointPrefix(vault.lineage), signal)) {
    const found = await named(vault, { name, bytes: size, modified }, new Map(), largestPoint, check, signal);
    if (found !== undefined) facts.points.set(idOf(name), found);
  }
  return facts;
}

/** Adds a round that the listing did not show, when it is there. */
export async function addRound(
  vault: Vault,
  volume: VolumeFacts,
  round: number,
  documents: Documents,
  signal?: AbortSignal,
): Promise<void> {
  const name = roundName(vault.lineage, volume.id, round);
  const check = (json: Json): RoundDocument => checkVolumeRound(vault, volume.id, round, json);
  const found = await named(vault, { name, bytes: 0, modified: Number.POSITIVE_INFINITY }, documents, largestRound, check, signal);
  if (found !== undefined) volume.rounds.set(round, found);
}

/** Reads the logs of all rounds that have a document or packs, and those of their users that have none. */
export async function readLogs(vault: Vault, facts: Facts, signal?: AbortSignal): Promise<void> {
  const read = async (volume: VolumeFacts, round: number): Promise<void> => {
    volume.logs.set(round, await readUses(vault, volume.id, round, signal));
  };
  for (const volume of facts.volumes.values()) {
    const known = new Set([...volume.rounds.keys(), ...roundsWithPacks(volume)]);
    await forEachLimited([...known], 8, async (round) => await read(volume, round));
    const strangers = [...volume.logs.values()].flatMap(({ users }) => users.flatMap((user) => ('round' in user ? [user.round] : [])));
    const unread = [...new Set(strangers)].filter((round) => !volume.logs.has(round));
    await forEachLimited(unread, 8, async (round) => await read(volume, round));
  }
}

export function roundsWithPacks(volume: VolumeFacts): Set<number> {
  const rounds = new Set<number>();
  for (const pack of volume.packs.keys()) rounds.add(roundOf(pack));
  return rounds;
}

export function roundOf(pack: string): number {
  return Number(pack.slice(0, pack.indexOf('.')));
}

function volumeOf(facts: Facts, id: string): VolumeFacts {
  let volume = facts.volumes.get(id);
  if (volume === undefined) {
    volume = { id, volume: undefined, rounds: new Map(), packs: new Map(), touched: new Map(), useTimes: new Map(), logs: new Map() };
    facts.volumes.set(id, volume);
  }
  return volume;
}

function touch(volume: VolumeFacts, round: number, modified: number): void {
  volume.touched.set(round, Math.max(volume.touched.get(round) ?? 0, modified));
}

/** Undefined when it was deleted since the listing. */
async function named<Document>(
  vault: Vault,
  object: StoredObject,
  documents: Documents,
  limit: number,
  check: (json: Json) => Document,
  signal?: AbortSignal,
): Promise<Named<Document> | undefined> {
  try {
    const json = documents.get(object.name) ?? (await readSealed(vault, object.name, limit, signal));
    if (json === undefined) return undefined;
    documents.set(object.name, json);
    return isGivenUp(json) ? { ...object, state: 'GivenUp' } : { ...object, state: 'Committed', document: check(json) };
  } catch (error) {
    if (error instanceof TranshipError && error.code === 'Integrity') return { ...object, state: 'Damaged', error };
    throw error;
  }
}

/** The plain name of the volume is in the document; it must be the one that the stored name hides. */
function checkVolumeRound(vault: Vault, id: string, round: number, document: Json): RoundDocument {
  const { volume } = document as { volume?: Json };
  if (typeof volume !== 'string' || hiddenName(vault.key, 'volume', volume) !== id)
    throw new TranshipError(
      'Integrity',
      `Round ${round} of a volume in lineage ${vault.lineage} belongs to another volume than its name says.`,
    );
  return checkRoundFields(document, volume, round);
}
