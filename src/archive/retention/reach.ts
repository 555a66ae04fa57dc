import type { RoundDocument } from '../round.ts';
import { parseEntry } from '../entry.ts';
import type { ChunkRef } from '../chunk.ts';
import { type VolumeStore, volumeStore } from '../volume.ts';
import type { Vault } from '../vault.ts';

/**
 * Which packs a round names: those of its shards, of their lists, and of all chunks. Rounds share most of their shards, and each is read once, so that
 * the hundredth round of a volume costs what changed.
 */
export class Reach {
  readonly #vault: Vault;
  readonly #stores = new Map<string, VolumeStore>();
  /** `pack:offset` of a shard or list → the packs that it names, its own among them. */
  readonly #packs = new Map<string, readonly string[]>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /**
   * Adds the packs of a round to `into`.
   * @throws TranshipError Integrity, NotFound when the round cannot be read: then nothing may be deleted that it could name
   */
  async add(document: RoundDocument, into: Set<string>, signal?: AbortSignal): Promise<void> {
    for (const ref of document.shards) for (const pack of await this.#ofShard(document.volume, ref, signal)) into.add(pack);
  }

  async #ofShard(volume: string, ref: ChunkRef, signal?: AbortSignal): Promise<readonly string[]> {
    return await this.#once(volume, ref, async (store) => {
      const packs = new Set([ref[1]]);
      const plain = await store.readChunk(ref, signal);
      for (const line of plain.toString('utf8').split('\n')) {
        if (line === '') continue;
        const { chunks, lists } = parseEntry(line);
        for (const [, chunk] of chunks ?? []) packs.add(chunk[1]);
        for (const [, list] of lists ?? []) for (const pack of await this.#ofList(volume, list, signal)) packs.add(pack);
      }
      return packs;
    });
  }

  async #ofList(volume: string, ref: ChunkRef, signal?: AbortSignal): Promise<readonly string[]> {
    return await this.#once(volume, ref, async (store) => {
      const chunks = await store.readList(ref, signal);
      return new Set([ref[1], ...chunks.map(([, chunk]) => chunk[1])]);
    });
  }

  async #once(volume: string, ref: ChunkRef, read: (store: VolumeStore) => Promise<Set<string>>): Promise<readonly string[]> {
    const place = `${volume}\n${ref[1]}:${ref[2]}`;
    let packs = this.#packs.get(place);
    if (packs === undefined) {
      let store = this.#stores.get(volume);
      if (store === undefined) {
        store = volumeStore(this.#vault.location, this.#vault.lineage, this.#vault.key, volume);
        this.#stores.set(volume, store);
      }
      packs = [...(await read(store))];
      this.#packs.set(place, packs);
    }
    return packs;
  }
}
