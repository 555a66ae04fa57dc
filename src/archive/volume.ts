import { hash } from 'node:crypto';
import { codeOf, TranshipError } from '../errors.ts';
import { giveBack, type Location } from '../location/index.ts';
import { type ChunkRef, openChunk, packKey } from './chunk.ts';
import { checkPlaced, type PlacedChunk } from './entry.ts';
import { checkKey } from './lineage.ts';
import { hiddenName, packName, packPrefix, roundName } from './names.ts';
import { PackWriter, type PackPlace, type PackWriterOptions, readPackIndex } from './pack.ts';
import { checkRound, type RoundDocument } from './round.ts';
import { readTwice } from './read-twice.ts';
import { openDocument, sealDocument, sealedLimit } from './sealed.ts';
import { joinRound } from './uses.ts';

/** A round document names its shards: 150 bytes each, so this is room for some 400,000 shards. */
export const largestRound = 64 << 20;

/** One volume's rounds, packs and chunks. For the mover: everything that has to do with volume data goes through it. */
export interface VolumeStore {
  readonly lineage: string;
  readonly volume: string;
  readRound(round: number, signal?: AbortSignal): Promise<{ document: RoundDocument; hash: string }>;
  findRound(round: number, signal?: AbortSignal): Promise<{ document: RoundDocument; hash: string } | undefined>;
  /**
   * The round that a new one builds on, kept from deletion until the new one is committed or given up. Undefined when it was deleted: then everything is copied.
   * A round may name chunks of its own packs and of the round that it claimed, and no others: retention relies on it.
   */
  claimParent(parent: number, forRound: number, signal?: AbortSignal): Promise<{ document: RoundDocument; hash: string } | undefined>;
  /** Commits a round: the last write of a copy. Another content under the same number is a Conflict. */
  commitRound(document: RoundDocument, signal?: AbortSignal): Promise<{ hash: string; bytes: number }>;
  packWriter(round: number, options?: PackWriterOptions): PackWriter;
  /** Chunks of packs that a killed copy of this round left behind. */
  leftovers(round: number, signal?: AbortSignal): AsyncGenerator<ChunkRef[]>;
  /** Reads stored bytes of one pack: several chunks that lie together are one request. */
  readStored(pack: string, offset: number, length: number, signal?: AbortSignal): Promise<Buffer>;
  /** Opens one chunk out of stored bytes. Authenticated; its SHA-256 is not checked. Nobody else holds the memory of the result. */
  open(ref: ChunkRef, stored: Buffer): Buffer;
  /** Reads and opens one chunk, and checks its SHA-256: for lists and shards. */
  readChunk(ref: ChunkRef, signal?: AbortSignal): Promise<Buffer>;
  readList(ref: ChunkRef, signal?: AbortSignal): Promise<PlacedChunk[]>;
}

export interface VolumeAccess {
  location: Location;
  lineage: string;
  /** base64. Secret. */
  key: string;
  volume: string;
}

/** Opens a volume of a lineage for the mover; checks the key first. */
export async function openVolume(access: VolumeAccess, signal?: AbortSignal): Promise<VolumeStore> {
  const key = await checkKey(access.location, access.lineage, access.key, signal);
  return volumeStore(access.location, access.lineage, key, access.volume);
}

/** As `openVolume`, for a worker whose main thread has checked the key. */
export function volumeStore(location: Location, lineage: string, key: Buffer, volume: string): VolumeStore {
  const volumeId = hiddenName(key, 'volume', volume);
  const placeOf = (round: number): PackPlace => ({ location, lineage, key, volumeId, round });
  const keys = new Map<string, Buffer>();

  function keyOf(pack: string): Buffer {
    let found = keys.get(pack);
    if (found === undefined) {
      if (keys.size >= 1000) keys.clear();
      found = packKey(key, lineage, pack);
      keys.set(pack, found);
    }
    return found;
  }

  const store: VolumeStore = {
    lineage,
    volume,
    async findRound(round, signal) {
      const name = roundName(lineage, volumeId, round);
      if ((await location.head(name, signal)) === undefined) return undefined;
      const plain = await readTwice(async () =>
        openDocument(key, name, await location.get(name, sealedLimit(largestRound), signal), largestRound),
      );
      return { document: checkRound(plain, volume, round), hash: hash('sha256', plain, 'hex') };
    },
    async readRound(round, signal) {
      const found = await store.findRound(round, signal);
      if (found !== undefined) return found;
      throw new TranshipError('NotFound', `Round ${round} of volume ${volume} is not in ${location.url}.`, {
        hint: 'It was not committed, or it was deleted.',
      });
    },
    async claimParent(parent, forRound, signal) {
      if (!(await joinRound({ location, lineage, key }, volumeId, parent, { round: forRound }, signal))) return undefined;
      return await store.readRound(parent, signal);
    },
    async commitRound(document, signal) {
      const name = roundName(lineage, volumeId, document.round);
      const plain = Buffer.from(JSON.stringify(document));
      const digest = hash('sha256', plain, 'hex');
      const sealed = sealDocument(key, name, plain);
      const made = await location.put(name, sealed, { ifAbsent: true, ...(signal === undefined ? {} : { signal }) });
      // A put whose answer was lost is sent again and finds its own object.
      if (made === 'exists' && (await store.readRound(document.round, signal)).hash !== digest) {
        throw new TranshipError('Conflict', `Round ${document.round} of volume ${volume} was committed by another mover.`);
      }
      return { hash: digest, bytes: sealed.length };
    },
    packWriter: (round, options) => new PackWriter(placeOf(round), options),
    async *leftovers(round, signal) {
      for await (const found of location.list(packPrefix(lineage, volumeId, round), signal)) {
        const id = found.name.slice(found.name.lastIndexOf('/') + 1);
        if (/^[0-9a-f]{32}$/.test(id)) yield await readPackIndex(placeOf(round), `${round}.${id}`, found.size, signal);
      }
    },
    async readStored(pack, offset, length, signal) {
      const bytes = await location.getRange(packName(lineage, volumeId, pack), offset, length, signal).catch((error: unknown) => {
        if (codeOf(error) !== 'NotFound') throw error;
        throw new TranshipError('NotFound', `Volume ${volume}: pack ${pack} is not in ${location.url} any more.`, {
          hint: 'Its restore point was deleted while it was read, or the store lost it. Choose another restore point.',
          cause: error,
        });
      });
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    open(ref, stored) {
      const [, pack, offset, , plain, codec] = ref;
      try {
        return openChunk(keyOf(pack), `${lineage}\n${pack}`, offset, stored, plain, codec);
      } catch (error) {
        throw new TranshipError('Integrity', `The stored object ${packName(lineage, volumeId, pack)} is damaged at byte ${offset}.`, {
          hint: `${location.url} returned other bytes than were written.`,
          cause: error,
        });
      }
    },
    readChunk: async (ref, signal) =>
      await readTwice(async () => {
        const stored = await store.readStored(ref[1], ref[2], ref[3], signal);
        const plain = store.open(ref, stored);
        giveBack(stored);
        if (hash('sha256', plain, 'base64') !== ref[0])
          throw new TranshipError('Integrity', `A chunk of pack ${ref[1]} is not the one that the manifest names.`);
        return plain;
      }),
    async readList(ref, signal) {
      const plain = await store.readChunk(ref, signal);
      try {
        return checkPlaced(JSON.parse(plain.toString('utf8')), true);
      } catch (error) {
        throw error instanceof TranshipError ? error : new TranshipError('Integrity', 'A chunk list is not JSON.', { cause: error });
      }
    },
  };
  return store;
}
