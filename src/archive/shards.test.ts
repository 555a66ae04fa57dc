import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ChunkRef } from './chunk.ts';
import { comparePaths } from './path.ts';
import { differing, readEntries, ShardWriter } from './shards.ts';
import type { VolumeStore } from './volume.ts';

/** Shards in memory, and how often one was read. */
function shelf(): {
  write: (entries: { path: string; mode: number }[]) => Promise<{ shards: ChunkRef[] }>;
  store: VolumeStore;
  reads: () => number;
} {
  const held = new Map<string, Buffer>();
  let reads = 0;
  const keep = async (plain: Buffer): Promise<ChunkRef> => {
    const digest = hash('sha256', plain, 'base64');
    held.set(digest, plain);
    return [digest, `0.${'a'.repeat(32)}`, 4, plain.length + 16, plain.length, 0];
  };
  const readChunk = async (ref: ChunkRef): Promise<Buffer> => {
    reads++;
    return held.get(ref[0]) ?? Buffer.alloc(0);
  };
  return {
    write: async (entries) => {
      const writer = new ShardWriter(keep);
      for (const { path, mode } of entries.toSorted((a, b) => comparePaths(a.path, b.path)))
        await writer.add(path, JSON.stringify({ path, type: 'directory', mode, uid: 0, gid: 0, mtime: [0, 0] }));
      return { shards: await writer.finish() };
    },
    store: { readChunk } as unknown as VolumeStore,
    reads: () => reads,
  };
}

const tree = Array.from({ length: 40_000 }, (_, number) => ({ path: number === 0 ? '' : `d${number}`, mode: 0o755 }));

describe('shards that rounds have in common', () => {
  it('are not read to compare them, and nothing that differs is missed', async () => {
    const { write, store, reads } = shelf();
    const before = await write(tree);
    const changed = new Set(['d77', 'd20000']);
    const after = await write([
      ...tree.filter(({ path }) => path !== 'd30000').map(({ path, mode }) => ({ path, mode: changed.has(path) ? 0o700 : mode })),
      { path: 'd5000-new', mode: 0 },
    ]);
    assert.ok(before.shards.length > 10, `${before.shards.length} shards`);
    const entries: Map<string, number | undefined>[] = [];
    for (const round of differing([after, before])) {
      const found = new Map<string, number | undefined>();
      for await (const { path, mode } of readEntries(store, round)) found.set(path, mode);
      entries.push(found);
    }
    const [now = new Map<string, number>(), then = new Map<string, number>()] = entries;
    const different = [...new Set([...now.keys(), ...then.keys()])].filter((path) => now.get(path) !== then.get(path));
    assert.deepEqual(different.toSorted(), ['d20000', 'd30000', 'd5000-new', 'd77']);
    // Four changes touch at most two shards each, on either side.
    assert.ok(reads() <= 16, `${reads()} shards were read`);
  });

  it('are all read when there is nothing to compare with, or a round in between differs', async () => {
    const { write } = shelf();
    const one = await write(tree);
    const other = await write(tree.map(({ path }) => ({ path, mode: 1 })));
    assert.deepEqual(differing([one])[0]?.shards, one.shards);
    assert.deepEqual(
      differing([one, one, other]).map(({ shards }) => shards.length),
      [one.shards.length, one.shards.length, other.shards.length],
    );
    assert.deepEqual(
      differing([one, one]).map(({ shards }) => shards.length),
      [0, 0],
    );
  });
});
