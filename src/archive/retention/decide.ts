/** What may go, decided from the facts. Pure: a dry run and a deletion ask the same questions. */
import { hiddenName } from '../names.ts';
import type { User } from '../uses.ts';
import type { Facts, VolumeFacts } from './facts.ts';
import { roundsWithPacks } from './facts.ts';

export interface Wish {
  /** Hidden names of restore points to delete, besides those whose deletion was begun earlier. */
  points: ReadonlySet<string>;
  /**
   * What was begun and not completed counts as abandoned when it was last written before this time of the store, milliseconds. Absent: nothing does. It is
   * a matter of courtesy, not of safety: what is given up wrongly cannot be committed any more, and its writer is told.
   */
  abandonedBefore: number | undefined;
  /** Hidden names whose sections stay although there is no such restore point: the working papers of migrations. */
  keepSections: ReadonlySet<string>;
}

export interface VolumeDecision {
  /** Committed rounds that nobody needs: their logs are to be closed. */
  retire: Set<number>;
  /** Rounds that were begun and never committed. */
  giveUp: Set<number>;
  /** Rounds that somebody is still making something from. */
  inUse: Map<number, User>;
}

export interface Decision {
  /** All restore points that go, those of earlier runs included. */
  dead: Set<string>;
  giveUpPoints: Set<string>;
  volumes: Map<string, VolumeDecision>;
}

export function decide(facts: Facts, key: Buffer, wish: Wish): Decision {
  const dead = new Set([...facts.retired, ...wish.points]);
  const decision: Decision = { dead, giveUpPoints: abandonedSections(facts, dead, wish), volumes: new Map() };
  const { named, newest } = namedRounds(facts, key, dead);
  for (const volume of facts.volumes.values()) {
    const one: VolumeDecision = { retire: new Set(), giveUp: abandonedRounds(volume, wish), inUse: new Map() };
    decision.volumes.set(volume.id, one);
    for (const [round, fact] of volume.rounds) {
      if (fact.state === 'GivenUp' || volume.logs.get(round)?.closed === true || named.get(volume.id)?.has(round) === true) continue;
      const superseded = round <= (newest.get(volume.id) ?? -1);
      if (!superseded && !isOld(fact.modified, wish)) continue;
      const user = unsettledUser(facts, volume, round, { dead, wish, into: decision });
      if (user === undefined) one.retire.add(round);
      else one.inUse.set(round, user);
    }
  }
  return decision;
}

/** Rounds that living restore points name, and the newest that any restore point names: what is older and not named was a step on the way to it. */
function namedRounds(facts: Facts, key: Buffer, dead: Set<string>): { named: Map<string, Set<number>>; newest: Map<string, number> } {
  const named = new Map<string, Set<number>>();
  const newest = new Map<string, number>();
  for (const [id, point] of facts.points) {
    if (point.state !== 'Committed') continue;
    for (const { volume, round } of point.document.volumes) {
      const volumeId = hiddenName(key, 'volume', volume);
      newest.set(volumeId, Math.max(newest.get(volumeId) ?? -1, round));
      if (!dead.has(id)) named.set(volumeId, (named.get(volumeId) ?? new Set<number>()).add(round));
    }
  }
  return { named, newest };
}

/** The first user of a round that may still need it. Users that were abandoned are noted to be given up. */
function unsettledUser(
  facts: Facts,
  volume: VolumeFacts,
  round: number,
  context: { dead: Set<string>; wish: Wish; into: Decision },
): User | undefined {
  const { dead, wish, into } = context;
  for (const [index, user] of (volume.logs.get(round)?.users ?? []).entries()) {
    const joined = volume.useTimes.get(round)?.get(index) ?? Number.POSITIVE_INFINITY;
    if ('round' in user) {
      if (volume.rounds.has(user.round) || volume.logs.get(user.round)?.closed === true) continue;
      if (!isOld(Math.max(joined, volume.touched.get(user.round) ?? 0), wish)) return user;
      into.volumes.get(volume.id)?.giveUp.add(user.round);
    } else {
      const point = facts.points.get(user.point);
      if (dead.has(user.point) || point?.state === 'GivenUp') continue;
      if (point !== undefined || !isOld(joined, wish)) return user;
      into.giveUpPoints.add(user.point);
    }
  }
  return undefined;
}

/** Rounds with packs that have neither a document nor a closed log. */
function abandonedRounds(volume: VolumeFacts, wish: Wish): Set<number> {
  const begun = [...roundsWithPacks(volume)].filter((round) => !volume.rounds.has(round) && volume.logs.get(round)?.closed !== true);
  return new Set(begun.filter((round) => isOld(volume.touched.get(round) ?? Number.POSITIVE_INFINITY, wish)));
}

function abandonedSections(facts: Facts, dead: Set<string>, wish: Wish): Set<string> {
  const abandoned = new Set<string>();
  for (const [id, objects] of facts.sections) {
    if (facts.points.has(id) || dead.has(id) || wish.keepSections.has(id)) continue;
    if (isOld(Math.max(...objects.map(({ modified }) => modified)), wish)) abandoned.add(id);
  }
  return abandoned;
}

function isOld(modified: number, wish: Wish): boolean {
  return wish.abandonedBefore !== undefined && modified < wish.abandonedBefore;
}
