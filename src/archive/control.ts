import { TranshipError } from '../errors.ts';
import type { Json } from '../api/object.ts';
import type { Location } from '../location/index.ts';
import { forEachLimited } from '../parallel.ts';
import type { Archive, RestorePointDocument } from './archive.ts';
import { checkKey } from './lineage.ts';
import { hiddenName, lineagePrefix, pointName, pointPrefix, retiredName, retiredPrefix, roundName, sectionName } from './names.ts';
import { readTwice } from './read-twice.ts';
import { openDocument, sealDocument, sealedLimit } from './sealed.ts';
import { joinRound } from './uses.ts';
import { isGivenUp, readSealed, type Vault, writeOnce } from './vault.ts';

/** Sections hold captured objects and reports; 50,000 objects of 10 KiB fit. */
const largestSection = 512 << 20;
export const largestPoint = 16 << 20;

/**
 * Opens the control side of a lineage: restore points, captured objects and reports.
 * @param key the lineage's data key, 32 bytes in base64. Secret.
 * @throws TranshipError NotFound, Unauthorized (wrong key), Unsupported
 * @example const archive = await openArchive({ location, lineage, key });
 */
export async function openArchive(access: { location: Location; lineage: string; key: string; signal?: AbortSignal }): Promise<Archive> {
  const { location, lineage } = access;
  const key = await checkKey(location, lineage, access.key, access.signal);
  const vault: Vault = { location, lineage, key };
  const nameOf = (point: string, section: string): string =>
    sectionName(lineage, hiddenName(key, 'point', point), hiddenName(key, 'section', `${point}\n${section}`));

  const open = async (name: string, limit: number): Promise<Buffer> =>
    await readTwice(async () => openDocument(key, name, await location.get(name, sealedLimit(limit)), limit));

  async function read(name: string, limit: number): Promise<Json> {
    return JSON.parse((await open(name, limit)).toString('utf8')) as Json;
  }

  return {
    lineage,
    async writeSection(point, section, content) {
      const name = nameOf(point, section);
      const plain = Buffer.from(JSON.stringify(content));
      if (plain.length > largestSection)
        throw new TranshipError('Unsupported', `Section ${section} of ${point} is larger than ${largestSection} bytes.`);
      const sealed = sealDocument(key, name, plain);
      if ((await location.put(name, sealed, { ifAbsent: true })) === 'exists') {
        const there = await open(name, largestSection);
        if (!there.equals(plain))
          throw new TranshipError('Conflict', `Section ${section} of restore point ${point} exists with another content.`);
      }
      return { bytes: sealed.length };
    },
    async readSection(point, section) {
      try {
        return await read(nameOf(point, section), largestSection);
      } catch (error) {
        if (!(error instanceof TranshipError) || error.code !== 'NotFound') throw error;
        throw new TranshipError('NotFound', `Restore point ${point} has no section ${section}.`, { cause: error });
      }
    },
    async commit(document) {
      const point = hiddenName(key, 'point', document.name);
      const name = pointName(lineage, point);
      const content = JSON.parse(JSON.stringify(document)) as Json;
      // From here on no round of it is deleted: docs/adr/0006-retention.md.
      await forEachLimited(document.volumes, 16, async ({ volume, round }) => {
        if (await joinRound(vault, hiddenName(key, 'volume', volume), round, { point })) return;
        throw new TranshipError(
          'Conflict',
          `Round ${round} of volume ${volume} was deleted, so restore point ${document.name} cannot name it.`,
          {
            hint: 'Copy the volume again.',
          },
        );
      });
      if (!(await writeOnce(vault, name, content, undefined, largestPoint))) {
        if (isGivenUp(await readSealed(vault, name, largestPoint))) throw deleted(document.name);
        throw new TranshipError('Conflict', `Restore point ${document.name} exists already.`);
      }
      if ((await location.head(retiredName(lineage, point))) !== undefined) throw deleted(document.name);
    },
    async restorePoints() {
      const points: RestorePointDocument[] = [];
      const retired = new Set<string>();
      for await (const { name } of location.list(retiredPrefix(lineage))) retired.add(idOf(name));
      for await (const { name } of location.list(pointPrefix(lineage))) {
        if (retired.has(idOf(name))) continue;
        const document = await readSealed(vault, name, largestPoint);
        // Undefined: deleted since the listing.
        if (document !== undefined && !isGivenUp(document)) points.push(checkPoint(document, lineage));
      }
      return points.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.name < b.name ? -1 : 1));
    },
    async isGivenUp(volume, round) {
      const name = roundName(lineage, hiddenName(key, 'volume', volume), round);
      // A tombstone is small, and a round's document mostly not.
      const found = await location.head(name);
      return found !== undefined && found.size < 4096 && isGivenUp(await readSealed(vault, name, largestPoint));
    },
    async usage() {
      const usage = { objects: 0, bytes: 0 };
      for await (const { size } of location.list(lineagePrefix(lineage))) {
        usage.objects++;
        usage.bytes += size;
      }
      return usage;
    },
  };
}

function deleted(point: string): TranshipError {
  return new TranshipError('Conflict', `A restore point named ${point} was deleted, and its name is not used again.`, {
    hint: 'Make a new one: its name has another time.',
  });
}

const idOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** Checks a restore point that came from a store. */
export function checkPoint(value: Json, lineage: string): RestorePointDocument {
  const fields = (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}) as Record<string, Json>;
  const right =
    typeof fields['name'] === 'string' &&
    fields['lineage'] === lineage &&
    typeof fields['createdAt'] === 'string' &&
    typeof fields['cluster'] === 'object' &&
    Array.isArray(fields['namespaces']) &&
    Array.isArray(fields['volumes']);
  if (!right) throw new TranshipError('Integrity', 'A restore point in the archive is not valid.');
  return value as unknown as RestorePointDocument;
}
