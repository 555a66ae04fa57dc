import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { type ChunkRef, KnownChunks, type PlacedChunk } from '../archive/index.ts';
import { ManifestBuilder } from './manifest.ts';

const pack = `0.${'a'.repeat(32)}`;
const chunk = (number: number): PlacedChunk => [number, [hash('sha256', `${number}`, 'base64'), pack, 4, 1040, 1024, 0]];

/** A builder whose lists and shards are kept here. */
function builder(): { manifest: ManifestBuilder; stored: string[] } {
  const stored: string[] = [];
  const append = async (plain: Buffer, digest: string): Promise<ChunkRef> => {
    stored.push(plain.toString('utf8'));
    return [digest, pack, 4, plain.length + 16, plain.length, 0];
  };
  return { manifest: new ManifestBuilder({ find: () => undefined, append }), stored };
}

describe('the manifest of a round', () => {
  it('holds one list of a big device in memory, whatever its size', async () => {
    const { manifest, stored } = builder();
    const [chunks, perPart] = [10_000, 8];
    const slot = manifest.open({ path: '', type: 'device', size: chunks << 20 });
    let most = 0;
    for (let from = 0; from < chunks; from += 2 * perPart) {
      // Two streams: the second part is ready first.
      const parts = [slot.expect(), slot.expect()];
      for (const which of [1, 0]) {
        const start = from + which * perPart;
        slot.fill(
          parts[which] ?? 0,
          Array.from({ length: perPart }, (_, at) => chunk(start + at)),
        );
      }
      await manifest.flush();
      most = Math.max(most, manifest.held);
    }
    slot.close();
    await manifest.finish();
    assert.ok(most <= 1024 + 2 * perPart, `${most} references were in memory`);
    assert.equal(manifest.held, 0);
    assert.equal(manifest.bytes, chunks * 1024);
    const lists = stored.slice(0, -1).flatMap((text) => JSON.parse(text) as PlacedChunk[]);
    assert.deepEqual(
      lists.map(([number]) => number),
      Array.from({ length: chunks }, (_, number) => number),
    );
  });

  it('keeps the order of entries, and lets the ones after a big file wait', async () => {
    const { manifest, stored } = builder();
    const big = manifest.open({ path: 'a', type: 'file', size: 3000 << 20, mode: 0, uid: 0, gid: 0, mtime: [0, 0] });
    const parts = Array.from({ length: 3 }, () => big.expect());
    big.close();
    manifest.add({ path: 'b', type: 'symlink', link: 'a', mode: 0o777, uid: 0, gid: 0, mtime: [0, 0] });
    for (const part of parts.toReversed()) {
      assert.equal(manifest.waiting, 2);
      big.fill(
        part,
        Array.from({ length: 1000 }, (_, at) => chunk(part * 1000 + at)),
      );
      await manifest.flush();
    }
    await manifest.finish();
    const entries = (stored.at(-1) ?? '').trim().split('\n');
    assert.deepEqual(
      entries.map((line) => (JSON.parse(line) as { path: string }).path),
      ['a', 'b'],
    );
    const { lists, used } = JSON.parse(entries[0] ?? '') as { lists: PlacedChunk[]; used: number };
    assert.deepEqual(
      lists.map(([first]) => first),
      [0, 1024, 2048],
    );
    assert.equal(used, 3000 * 1024);
  });

  it('names a list of the parent round again when it is equal', async () => {
    const first = builder();
    const write = async ({ manifest }: ReturnType<typeof builder>, changed: number, earlier?: { lists: PlacedChunk[] }): Promise<void> => {
      const entry = { path: '', type: 'device' as const, size: 3000 << 20 };
      const slot = manifest.open(entry, earlier === undefined ? undefined : { ...entry, ...earlier });
      const part = slot.expect();
      slot.close();
      slot.fill(
        part,
        Array.from({ length: 3000 }, (_, number) => (number === changed ? [number, chunk(99_999)[1]] : chunk(number))),
      );
      await manifest.finish();
    };
    await write(first, -1);
    const earlier = JSON.parse(first.stored.at(-1) ?? '') as { lists: PlacedChunk[] };
    const second = builder();
    await write(second, 1500, earlier);
    assert.equal(second.stored.length, 2); // the middle list and the shard
    const { lists } = JSON.parse(second.stored.at(-1) ?? '') as { lists: PlacedChunk[] };
    assert.deepEqual([lists[0], lists[2]], [earlier.lists[0], earlier.lists[2]]);
    assert.notDeepEqual(lists[1], earlier.lists[1]);
  });
});

describe('chunks known from elsewhere', () => {
  it('are found as they were added, up to a fixed number', () => {
    const known = KnownChunks.empty(1024);
    const { byteLength } = known.share().shared;
    const digestOf = (number: number): string => hash('sha256', `${number}`, 'base64');
    for (let number = 0; number < 2000; number++) known.add([digestOf(number), pack, number, 8 << 20, 77, 1]);
    assert.ok(known.full);
    assert.equal(known.share().shared.byteLength, byteLength);
    const other = KnownChunks.from(known.share());
    for (const number of [0, 400, 767])
      assert.deepEqual(other.find(digestOf(number), 77), [digestOf(number), pack, number, 8 << 20, 77, 1]);
    assert.equal(other.find(digestOf(768), 77), undefined);
  });
});
