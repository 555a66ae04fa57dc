/** For tests: a lineage whose rounds are made and restored through the same doors that the mover uses, with contents of a few bytes. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import type { Location } from '../../location/index.ts';
import {
  type ChunkRef,
  createLineage,
  defaultChunkSize,
  type Entry,
  openArchive,
  openRetention,
  openVolume,
  type PlacedChunk,
  readChunks,
  readEntries,
  type RetentionOptions,
  type RetentionResult,
  ShardWriter,
} from '../index.ts';

/** Path → the texts of its chunks. */
export type Content = Readonly<Record<string, readonly string[]>>;

export interface LineageRig {
  lineage: string;
  key: string;
  /** What each committed round was made from, by `volume/round`. */
  contents: Map<string, Content>;
  hashes: Map<string, string>;
  /** As a mover: claims the parent, uses what is stored, commits last. */
  copy(location: Location, volume: string, round: number, parent: number | undefined, content: Content): Promise<void>;
  /** As a controller: a restore point of these rounds. */
  commit(location: Location, point: string, rounds: Readonly<Record<string, number>>): Promise<void>;
  retain(location: Location, options: RetentionOptions): Promise<RetentionResult>;
  /** Restores every restore point and compares; returns their names. */
  checkAll(location: Location): Promise<string[]>;
}

export async function lineageOn(first: Location): Promise<LineageRig> {
  const { lineage, key } = await createLineage(first);
  const contents: LineageRig['contents'] = new Map();
  const hashes: LineageRig['hashes'] = new Map();
  const rig: LineageRig = {
    lineage,
    key,
    contents,
    hashes,
    async copy(location, volume, round, parent, content) {
      const store = await openVolume({ location, lineage, key, volume });
      const note = (digest: string): void => {
        hashes.set(`${volume}/${round}`, digest);
        contents.set(`${volume}/${round}`, content);
      };
      const there = await store.findRound(round);
      if (there !== undefined) return note(there.hash);
      const known = new Map<string, ChunkRef>();
      const base = parent === undefined ? undefined : (await store.claimParent(parent, round))?.document;
      if (base !== undefined) {
        for (const ref of base.shards) known.set(ref[0], ref);
        for await (const entry of readEntries(store, base)) {
          for (const [, ref] of entry.lists ?? []) known.set(ref[0], ref);
          for await (const [, ref] of readChunks(store, entry)) known.set(ref[0], ref);
        }
      }
      for await (const refs of store.leftovers(round)) for (const ref of refs) known.set(ref[0], ref);
      // Two streams, so that a round has more than one pack.
      const writers = [store.packWriter(round), store.packWriter(round)] as const;
      let turn = 0;
      const put = async (plain: Buffer): Promise<ChunkRef> => {
        const found = known.get(hash('sha256', plain, 'base64'));
        if (found !== undefined) return found;
        const writer = writers[(turn++ % 2) as 0 | 1];
        return await writer.append(plain);
      };
      const shards = new ShardWriter(put);
      await shards.add('', JSON.stringify({ path: '', type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: [0, 0] } satisfies Entry));
      for (const path of Object.keys(content).toSorted()) {
        const placed: PlacedChunk[] = [];
        for (const [number, text] of (content[path] ?? []).entries()) placed.push([number, await put(Buffer.from(text))]);
        const entry: Entry = { path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: [0, 0], size: placed.length * defaultChunkSize };
        if (placed.length > 2) entry.lists = [[0, await put(Buffer.from(JSON.stringify(placed)))]];
        else if (placed.length > 0) entry.chunks = placed;
        await shards.add(path, JSON.stringify(entry));
      }
      const list = await shards.finish();
      for (const writer of writers) await writer.finish();
      const { hash: digest } = await store.commitRound({
        format: 'tranship-round',
        version: 1,
        volume,
        round,
        mode: 'Filesystem',
        chunkSize: defaultChunkSize,
        shards: list,
        files: Object.keys(content).length,
        bytes: 0,
        bytesChanged: 0,
        notes: [],
      });
      note(digest);
    },
    async commit(location, point, rounds) {
      const archive = await openArchive({ location, lineage, key });
      await archive.writeSection(point, 'objects', { point });
      await archive.commit({
        name: point,
        lineage,
        createdAt: point,
        cluster: { id: 'c', name: 'old', version: 'v1' },
        namespaces: ['shop'],
        objects: 1,
        volumes: Object.entries(rounds).map(([volume, round]) => ({
          volume,
          round,
          namespace: 'shop',
          claim: volume,
          mode: 'Filesystem' as const,
          capacityBytes: 1 << 30,
          manifestHash: hashes.get(`${volume}/${round}`) ?? '',
        })),
      });
    },
    async retain(location, options) {
      const retention = await openRetention({ location, lineage, key });
      return await retention.run(options);
    },
    async checkAll(location) {
      const archive = await openArchive({ location, lineage, key });
      const points = await archive.restorePoints();
      for (const point of points) {
        assert.deepEqual(await archive.readSection(point.name, 'objects'), { point: point.name });
        for (const { volume, round, manifestHash } of point.volumes) {
          const store = await openVolume({ location, lineage, key, volume });
          const found = await store.readRound(round);
          assert.equal(found.hash, manifestHash);
          const read: Record<string, string[]> = {};
          for await (const entry of readEntries(store, found.document)) {
            if (entry.type !== 'file') continue;
            const texts: string[] = [];
            for await (const [, ref] of readChunks(store, entry)) texts.push((await store.readChunk(ref)).toString());
            read[entry.path] = texts;
          }
          assert.deepEqual(read, contents.get(`${volume}/${round}`), `${point.name}: ${volume} round ${round}`);
        }
      }
      return points.map(({ name }) => name);
    },
  };
  return rig;
}

export async function namesOf(location: Location, rig: LineageRig): Promise<string[]> {
  return await Array.fromAsync(location.list(''), ({ name }) => name.slice(`lineages/${rig.lineage}/`.length));
}

/** What may stay for good: the lineage, marks of deleted restore points, logs of who used a round, tombstones (told by their size). */
export async function leftovers(location: Location, rig: LineageRig): Promise<string[]> {
  const left: string[] = [];
  for await (const { name, size } of location.list('')) {
    const inside = name.slice(`lineages/${rig.lineage}/`.length);
    const mark = inside === 'lineage.json' || /^retired\/|\/uses\//.test(inside) || (/\/rounds\/|^points\//.test(inside) && size < 110);
    if (!mark) left.push(inside);
  }
  return left;
}

/** The same numbers for the same seed. */
export function randomFrom(seed: number): { below(limit: number): number; pick<T>(list: readonly T[]): T } {
  let state = seed * 2_654_435_761;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return {
    below,
    pick: (list) => {
      const found = list[below(list.length)];
      assert.ok(found !== undefined);
      return found;
    },
  };
}
