/**
 * Deleting restore points and what nobody else uses, while others write and read: docs/adr/0006-retention.md. Killed at any point, the next run finishes what
 * was begun; two runs at once do no harm.
 */
import { codeOf, TranshipError } from '../../errors.ts';
import type { Location } from '../../location/index.ts';
import { checkKey } from '../lineage.ts';
import { hiddenName } from '../names.ts';
import { forEachLimited } from '../../parallel.ts';
import type { Vault } from '../vault.ts';
import { carryOut, type Refusal } from './carry-out.ts';
import { decide, type Decision, type Wish } from './decide.ts';
import { type Documents, addRound, type Facts, readFacts, readLogs, readPoints } from './facts.ts';
import { Reach } from './reach.ts';
import { bytesOf, objectsOf, type Removal, removalOf } from './removal.ts';
import { closeAndMark, closedOf, union } from './settle.ts';

export interface RetentionOptions {
  /** Names of restore points to delete. What earlier runs began is finished as well. */
  points?: readonly string[];
  /**
   * Copies and restore points that were begun and not completed are removed when nothing of them was written for this long by the store's clock, milliseconds.
   * Absent: they stay, and so does what they use.
   */
  abandonedAfterMs?: number;
  /** Names under which sections are kept although there is no such restore point: migrations keep their plans so. */
  keepSections?: readonly string[];
  /** Nothing is written or deleted; the result says what would be. */
  dryRun?: boolean;
  onProgress?: (progress: RetentionProgress) => void;
  signal?: AbortSignal;
}

export interface RetentionProgress {
  phase: 'read' | 'mark' | 'delete';
  objects: number;
  ofObjects: number;
  bytes: number;
  ofBytes: number;
}

export interface RetentionResult {
  /** Restore points that are deleted now, or would be, with what is left to do. `bytes`: what deleting this one alone frees; dry runs only. */
  points: { name: string; finished: boolean; bytes?: number }[];
  /** What was deleted, or would be. */
  objects: number;
  bytes: number;
  /** Rounds that stay because something is being made from them. */
  inUse: { volume: string; round: number; by: string }[];
  /** Objects that the store refused to delete. */
  refused: Refusal[];
  /** Volumes of which nothing was deleted, because a round that stays cannot be read. */
  damaged: { volume: string; error: TranshipError }[];
}

export interface RestorePointUsage {
  name: string;
  createdAt: string;
  cluster: string;
  namespaces: string[];
  objects: number;
  volumes: { volume: string; round: number; capacityBytes: number; bytes: number }[];
  /** All that its restore reads, in whole packs. */
  bytes: number;
  /** What deleting it alone frees. */
  uniqueBytes: number;
  /** Damaged: a round that it names is not there or cannot be read. */
  state: 'Ready' | 'Deleting' | 'Damaged';
}

export interface Retention {
  /** All restore points, those being deleted too; without their sizes, which need the manifests. */
  names(signal?: AbortSignal): Promise<{ name: string; state: 'Ready' | 'Deleting' }[]>;
  /** Restore points with their sizes, oldest first; those being deleted too. `reclaimableBytes`: what a run frees without deleting one. */
  list(
    options?: Pick<RetentionOptions, 'abandonedAfterMs' | 'keepSections' | 'signal'>,
  ): Promise<{ points: RestorePointUsage[]; reclaimableBytes: number }>;
  /** @throws TranshipError NotFound (no such restore point; nothing is deleted then), and what the store throws when it does not answer */
  run(options: RetentionOptions): Promise<RetentionResult>;
}

/** A removal that another run overtook is looked at again, this often. */
const mostAttempts = 4;

/** @param access as `openArchive`; the credentials must allow list, read, write and delete */
export async function openRetention(access: {
  location: Location;
  lineage: string;
  key: string;
  signal?: AbortSignal;
}): Promise<Retention> {
  const { location, lineage } = access;
  const key = await checkKey(location, lineage, access.key, access.signal);
  const vault: Vault = { location, lineage, key };
  return {
    names: async (signal) => await names(vault, signal),
    list: async (options = {}) => await list(vault, options),
    run: async (options) => await run(vault, options),
  };
}

async function run(vault: Vault, options: RetentionOptions): Promise<RetentionResult> {
  const documents: Documents = new Map();
  const reach = new Reach(vault);
  for (let attempt = 1; ; attempt++) {
    const { facts, wish } = await look(vault, options, documents);
    const decision = decide(facts, vault.key, wish);
    if (options.dryRun === true) return await dryRun(vault, options, { facts, wish, decision, reach });
    const closed = await closeAndMark(vault, facts, { wish, decision, names: options.points ?? [] }, options);
    // A second look, which must begin after the logs were closed: the proof in the ADR stands on it.
    const after = await readFacts(vault, documents, options.signal);
    await addUnlisted(vault, facts, after, documents, options.signal);
    const removal = await removalOf(after, decision, { ...vault, closed, givenUp: new Map(), reach, signal: options.signal });
    // Another run deleted what we had listed.
    if (attempt < mostAttempts && removal.volumes.some(({ damaged }) => codeOf(damaged) === 'NotFound')) continue;
    const { gone, refused, finished } = await carryOut(vault, after, removal, options);
    return { ...reportOf(after, decision, removal, finished), objects: gone.length, bytes: bytesOf(gone), refused };
  }
}

async function dryRun(
  vault: Vault,
  options: RetentionOptions,
  state: { facts: Facts; wish: Wish; decision: Decision; reach: Reach },
): Promise<RetentionResult> {
  const { facts, wish, decision, reach } = state;
  const removal = await wouldRemove(vault, facts, decision, reach, options.signal);
  const objects = objectsOf(removal);
  const finished = new Set(removal.points.keys());
  const report = reportOf(facts, decision, removal, finished);
  const alone = await bytesAlone(vault, facts, wish, reach, options.signal);
  const points = [];
  for (const point of report.points) points.push({ ...point, bytes: await alone(hiddenName(vault.key, 'point', point.name)) });
  return { ...report, points, objects: objects.length, bytes: bytesOf(objects), refused: [] };
}

/** The facts, and what is asked of them. */
async function look(vault: Vault, options: RetentionOptions, documents: Documents): Promise<{ facts: Facts; wish: Wish }> {
  options.onProgress?.({ phase: 'read', objects: 0, ofObjects: 0, bytes: 0, ofBytes: 0 });
  const facts = await readFacts(vault, documents, options.signal);
  await readLogs(vault, facts, options.signal);
  const idOf = (name: string): string => hiddenName(vault.key, 'point', name);
  const unknown = (options.points ?? []).filter((name) => {
    const point = facts.points.get(idOf(name));
    return !facts.retired.has(idOf(name)) && (point === undefined || point.state === 'GivenUp');
  });
  if (unknown.length > 0) {
    const known = [...facts.points.values()].flatMap((point) => (point.state === 'Committed' ? [point.document.name] : []));
    throw new TranshipError('NotFound', `There is no restore point named ${unknown.join(', ')} in ${vault.location.url}.`, {
      hint: known.length === 0 ? 'This archive holds none.' : `Known: ${known.toSorted().join(', ')}.`,
    });
  }
  const points = new Set((options.points ?? []).map(idOf));
  for (const [id, point] of facts.points) {
    // Which rounds it needs is not known, so nothing can be deleted beside it.
    if (point.state === 'Damaged' && !points.has(id) && !facts.retired.has(id)) throw point.error;
  }
  const after = options.abandonedAfterMs;
  // The clock of the store; an object that is newer than it shows that the clock is behind.
  const now = Math.max(facts.newest, await vault.location.now(options.signal));
  const wish: Wish = {
    points,
    abandonedBefore: after === undefined ? undefined : now - after,
    keepSections: new Set((options.keepSections ?? []).map(idOf)),
  };
  return { facts, wish };
}

/** Rounds that a log names and the listing does not show, because they came after it or the listings of the store lag: they are asked for by name. */
async function addUnlisted(vault: Vault, before: Facts, after: Facts, documents: Documents, signal?: AbortSignal): Promise<void> {
  for (const volume of before.volumes.values()) {
    const there = after.volumes.get(volume.id);
    if (there === undefined) continue;
    const users = [...volume.logs.values()].flatMap((log) => log.users.flatMap((user) => ('round' in user ? [user.round] : [])));
    const unlisted = [...new Set(users)].filter((round) => !there.rounds.has(round) && volume.logs.get(round)?.closed !== true);
    await forEachLimited(unlisted, 8, async (round) => await addRound(vault, there, round, documents, signal));
  }
}

/** What goes when the decision is carried out, nobody else writing. */
async function wouldRemove(vault: Vault, facts: Facts, decision: Decision, reach: Reach, signal?: AbortSignal): Promise<Removal> {
  const retire = new Map([...decision.volumes].map(([id, { retire: rounds }]) => [id, rounds] as const));
  const givenUp = new Map([...decision.volumes].map(([id, { giveUp: rounds }]) => [id, rounds] as const));
  return await removalOf(facts, decision, { ...vault, closed: union(closedOf(facts), retire), givenUp, reach, signal });
}

/** Bytes that deleting one restore point frees beyond what any run frees. */
async function bytesAlone(
  vault: Vault,
  facts: Facts,
  wish: Wish,
  reach: Reach,
  signal?: AbortSignal,
): Promise<(point: string | undefined) => Promise<number>> {
  const freed = async (points: string[]): Promise<number> => {
    const decision = decide(facts, vault.key, { ...wish, points: new Set(points) });
    return bytesOf(objectsOf(await wouldRemove(vault, facts, decision, reach, signal)));
  };
  const base = await freed([]);
  return async (point) => (point === undefined ? base : (await freed([point])) - base);
}

function reportOf(
  facts: Facts,
  decision: Decision,
  removal: Removal,
  finished: ReadonlySet<string>,
): Pick<RetentionResult, 'points' | 'inUse' | 'damaged'> {
  const labelOf = (id: string): string => facts.volumes.get(id)?.volume ?? `volume ${id.slice(0, 8)}`;
  const points: RetentionResult['points'] = [];
  for (const [id, point] of facts.points) {
    if (!decision.dead.has(id)) continue;
    points.push({ name: point.state === 'Committed' ? point.document.name : id, finished: finished.has(id) });
  }
  points.sort((a, b) => (a.name < b.name ? -1 : 1));
  const inUse = [...decision.volumes].flatMap(([id, one]) =>
    [...one.inUse].map(([round, user]) => ({
      volume: labelOf(id),
      round,
      by: 'round' in user ? `the copy of round ${user.round}, which has not ended` : 'a restore point that is being made',
    })),
  );
  const damaged = removal.volumes.flatMap(({ volume, damaged: error }) =>
    error === undefined ? [] : [{ volume: labelOf(volume.id), error }],
  );
  return { points, inUse, damaged };
}

async function names(vault: Vault, signal?: AbortSignal): Promise<Awaited<ReturnType<Retention['names']>>> {
  const { points, retired } = await readPoints(vault, signal);
  return [...points].flatMap(([id, point]) =>
    point.state === 'Committed' ? [{ name: point.document.name, state: retired.has(id) ? ('Deleting' as const) : ('Ready' as const) }] : [],
  );
}

async function list(vault: Vault, options: Parameters<Retention['list']>[0] & object): Promise<Awaited<ReturnType<Retention['list']>>> {
  const documents: Documents = new Map();
  const reach = new Reach(vault);
  const { facts, wish } = await look(vault, options, documents);
  const alone = await bytesAlone(vault, facts, wish, reach, options.signal);
  const points: RestorePointUsage[] = [];
  for (const [id, point] of facts.points) {
    if (point.state !== 'Committed') continue;
    const { document } = point;
    const volumes: RestorePointUsage['volumes'] = [];
    let damaged = false;
    for (const { volume, round, capacityBytes } of document.volumes) {
      const inside = facts.volumes.get(hiddenName(vault.key, 'volume', volume));
      const fact = inside?.rounds.get(round);
      const packs = new Set<string>();
      try {
        if (fact?.state === 'Committed') await reach.add(fact.document, packs, options.signal);
        damaged ||= fact?.state !== 'Committed' || [...packs].some((pack) => inside?.packs.has(pack) !== true);
      } catch (error) {
        if (!['Integrity', 'NotFound'].includes(codeOf(error))) throw error;
        damaged = true;
      }
      const bytes = [...packs].reduce((sum, pack) => sum + (inside?.packs.get(pack) ?? 0), fact?.bytes ?? 0);
      volumes.push({ volume, round, capacityBytes, bytes });
    }
    points.push({
      name: document.name,
      createdAt: document.createdAt,
      cluster: document.cluster.name,
      namespaces: document.namespaces,
      objects: document.objects,
      volumes,
      bytes: point.bytes + bytesOf(facts.sections.get(id) ?? []) + volumes.reduce((sum, { bytes }) => sum + bytes, 0),
      uniqueBytes: await alone(id),
      state: facts.retired.has(id) ? 'Deleting' : damaged ? 'Damaged' : 'Ready',
    });
  }
  points.sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.name < b.name ? -1 : 1));
  return { points, reclaimableBytes: await alone(undefined) };
}
