import { createHmac } from 'node:crypto';
import { TranshipError } from '../errors.ts';
import { derive } from './keys.ts';

/** Every name that this product stores is made here. Names of volumes and points are hidden behind a keyed hash. */
export function lineageName(lineage: string): string {
  return `lineages/${checkLineage(lineage)}/lineage.json`;
}

export function lineagePrefix(lineage: string): string {
  return `lineages/${checkLineage(lineage)}/`;
}

/** Lineages come from users' tokens: only our own form is let into a stored name. */
export function checkLineage(lineage: string): string {
  if (!/^[a-z0-9]{8,40}$/.test(lineage)) throw new TranshipError('InvalidInput', 'The lineage is not a valid one.');
  return lineage;
}

export function hiddenName(key: Buffer, kind: 'volume' | 'point' | 'section', name: string): string {
  return createHmac('sha256', derive(key, 'names')).update(`${kind}\n${name}`).digest('hex').slice(0, 32);
}

export function roundName(lineage: string, volumeId: string, round: number): string {
  return `${lineagePrefix(lineage)}volumes/${volumeId}/rounds/${digits(round)}`;
}

export function packPrefix(lineage: string, volumeId: string, round: number): string {
  return `${lineagePrefix(lineage)}volumes/${volumeId}/packs/${digits(round)}/`;
}

/** `pack` is `<round>.<32 hex digits>`, as manifests write it. */
export function packName(lineage: string, volumeId: string, pack: string): string {
  const match = /^(\d{1,6})\.([0-9a-f]{32})$/.exec(pack);
  if (match === null) throw new TranshipError('Integrity', 'A manifest names a pack in a wrong form.');
  return `${packPrefix(lineage, volumeId, Number(match[1]))}${match[2]}`;
}

export function pointPrefix(lineage: string): string {
  return `${lineagePrefix(lineage)}points/`;
}

export function pointName(lineage: string, pointId: string): string {
  return `${pointPrefix(lineage)}${pointId}`;
}

/** Marks of deleted restore points: they stay for good. */
export function retiredPrefix(lineage: string): string {
  return `${lineagePrefix(lineage)}retired/`;
}

export function retiredName(lineage: string, pointId: string): string {
  return `${retiredPrefix(lineage)}${pointId}`;
}

/** One entry of the log that says who uses a round. */
export function useName(lineage: string, volumeId: string, round: number, index: number): string {
  return `${lineagePrefix(lineage)}volumes/${volumeId}/uses/${digits(round)}/${digits(index)}`;
}

/** What a stored name of a lineage stands for; undefined for names that are not ours. */
export type StoredName =
  | { kind: 'round'; volume: string; round: number }
  | { kind: 'use'; volume: string; round: number; index: number }
  /** `pack` as manifests write it. */
  | { kind: 'pack'; volume: string; round: number; pack: string }
  | { kind: 'section' | 'point' | 'retired'; point: string };

export function parseStored(lineage: string, name: string): StoredName | undefined {
  const inside = name.slice(lineagePrefix(lineage).length);
  const ofVolume = /^volumes\/([0-9a-f]{32})\/(rounds|uses|packs)\/(\d{6})(?:\/([0-9a-f]+))?$/.exec(inside);
  if (ofVolume !== null) {
    const [, volume = '', kind, number, last] = ofVolume;
    const round = Number(number);
    if (kind === 'rounds') return last === undefined ? { kind: 'round', volume, round } : undefined;
    if (kind === 'uses') return /^\d{6}$/.test(last ?? '') ? { kind: 'use', volume, round, index: Number(last) } : undefined;
    return last?.length === 32 ? { kind: 'pack', volume, round, pack: `${round}.${last}` } : undefined;
  }
  const ofPoint = /^(sections|points|retired)\/([0-9a-f]{32})(\/[0-9a-f]{32})?$/.exec(inside);
  const [, kind, point = '', section] = ofPoint ?? [];
  if (kind === 'sections') return section === undefined ? undefined : { kind: 'section', point };
  if (section !== undefined) return undefined;
  return kind === 'points' ? { kind: 'point', point } : kind === 'retired' ? { kind: 'retired', point } : undefined;
}

export function sectionName(lineage: string, pointId: string, sectionId: string): string {
  return `${lineagePrefix(lineage)}sections/${pointId}/${sectionId}`;
}

function digits(round: number): string {
  if (!Number.isInteger(round) || round < 0 || round > 999_999)
    throw new TranshipError('InvalidInput', `Round ${round} is not between 0 and 999999.`);
  return String(round).padStart(6, '0');
}
