/** Every bit of every kind of stored object, changed one at a time: whoever reads gets an error or what was written, never something else. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { codeOf } from '../errors.ts';
import type { Location } from '../location/index.ts';
import { memoryStore, type MemoryStore } from '../location/testing/memory-store.ts';
import { createLineage, openArchive, openVolume, type ChunkRef, type RoundDocument } from './index.ts';

const volume = 'shop/data';
/** One that compresses and one that does not. */
const chunks = [
  Buffer.from('some text that is worth compressing, '.repeat(8)),
  Buffer.from(Array.from({ length: 60 }, (_, n) => (n * 89) % 256)),
];
const section = [{ kind: 'ConfigMap', data: { a: 'b' } }];

describe('bit flips', () => {
  let store: MemoryStore;
  let access: { location: Location; lineage: string; key: string };
  let refs: ChunkRef[];
  const round: RoundDocument = {
    format: 'tranship-round',
    version: 1,
    volume,
    round: 0,
    mode: 'Filesystem',
    chunkSize: 1 << 20,
    shards: [],
    files: 1,
    bytes: 10,
    bytesChanged: 10,
    notes: [],
  };
  const point = {
    name: 'p1',
    createdAt: '2026-01-01T00:00:00Z',
    cluster: { id: 'i', name: 'n', version: 'v' },
    namespaces: ['shop'],
    objects: 1,
    volumes: [],
  };

  before(async () => {
    store = memoryStore();
    access = { location: store, ...(await createLineage(store)) };
    const data = await openVolume({ ...access, volume });
    const writer = data.packWriter(0);
    refs = [];
    for (const chunk of chunks) refs.push(await writer.append(chunk));
    await writer.finish();
    round.shards = refs;
    await data.commitRound(round);
    const archive = await openArchive(access);
    await archive.writeSection('p1', 'objects', section);
    await archive.commit({ ...point, lineage: access.lineage });
  });

  /** All that can be read, as a reader does it. */
  async function readAll(location: Location): Promise<unknown[]> {
    const data = await openVolume({ ...access, location, volume });
    const { document } = await data.readRound(0);
    const contents = [];
    for (const ref of document.shards) contents.push((await data.readChunk(ref)).toString('hex'));
    const archive = await openArchive({ ...access, location });
    return [document, contents, await archive.restorePoints(), await archive.readSection('p1', 'objects')];
  }

  for (const kind of ['lineage.json', '/rounds/', '/packs/', '/sections/', '/points/'])
    it(`in ${kind}`, { timeout: 480_000 }, async () => {
      const right = await readAll(store);
      const [name = '', object] = [...store.objects].find(([each]) => each.includes(kind)) ?? [];
      assert.ok(object !== undefined);
      const body = Buffer.from(object.body);
      let harmless = 0;
      for (let at = 0; at < body.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          body[at] = (body[at] ?? 0) ^ (1 << bit);
          store.objects.set(name, { ...object, body });
          const found = await readAll(store).catch((error: unknown) => {
            assert.ok(['Integrity', 'Unauthorized', 'Unsupported'].includes(codeOf(error)), `${codeOf(error)} at ${at}, bit ${bit}`);
            return undefined;
          });
          if (found !== undefined) {
            assert.deepEqual(found, right, `at byte ${at}, bit ${bit}`);
            harmless++;
          }
          body[at] = (body[at] ?? 0) ^ (1 << bit);
        }
      }
      store.objects.set(name, object);
      // Of a pack only the chunks are read: not its first four bytes, and not its index, which lets a killed copy go on.
      const used = refs.reduce((sum, [, , , stored]) => sum + stored, 0);
      assert.equal(harmless, kind === '/packs/' ? (body.length - used) * 8 : 0);
    });

  it('in the index of a pack: a killed copy that goes on does not use it, or finds what was written', async () => {
    const [name = '', object] = [...store.objects].find(([each]) => each.includes('/packs/')) ?? [];
    assert.ok(object !== undefined);
    const body = Buffer.from(object.body);
    const end = refs.reduce((sum, [, , , stored]) => sum + stored, 4);
    for (let at = end; at < body.length; at++) {
      body[at] = (body[at] ?? 0) ^ (1 << (at % 8));
      store.objects.set(name, { ...object, body });
      const found = (await Array.fromAsync((await openVolume({ ...access, volume })).leftovers(0))).flat();
      assert.ok(found.length === 0, `byte ${at}`);
      body[at] = (body[at] ?? 0) ^ (1 << (at % 8));
    }
    store.objects.set(name, object);
  });

  it('on the way: what comes changed once is read again', async () => {
    const right = await readAll(store);
    let flipped = 0;
    const seen = new Set<string>();
    const once = (what: string, bytes: Uint8Array): Uint8Array => {
      if (seen.has(what) || bytes.length === 0) return bytes;
      seen.add(what);
      flipped++;
      const at = bytes.length >> 1;
      bytes[at] = (bytes[at] ?? 0) ^ 2;
      return bytes;
    };
    const harmed: Location = {
      ...store,
      get: async (name, most) => once(name, await store.get(name, most)),
      getRange: async (name, offset, length) => once(`${name} ${offset}`, await store.getRange(name, offset, length)),
    };
    assert.deepEqual(await readAll(harmed), right);
    assert.equal(flipped, 6);
  });
});
