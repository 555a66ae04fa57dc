import { TranshipError } from '../errors.ts';
import type { Json } from '../api/object.ts';
import type { Location } from '../location/index.ts';
import type { Archive, RestorePointDocument } from './archive.ts';
import { checkKey } from './lineage.ts';
import { hiddenName, lineagePrefix, pointPrefix, sectionName } from './names.ts';
import { openDocument, sealDocument, sealedLimit } from './sealed.ts';

/** Sections hold captured objects and reports; 50,000 objects of 10 KiB fit. */
const largestSection = 512 << 20;
const largestPoint = 16 << 20;

/**
 * Opens the control side of a lineage: restore points, captured objects and reports.
 * @param key the lineage's data key, 32 bytes in base64. Secret.
 * @throws TranshipError NotFound, Unauthorized (wrong key), Unsupported
 * @example const archive = await openArchive({ location, lineage, key });
 */
export async function openArchive(access: { location: Location; lineage: string; key: string; signal?: AbortSignal }): Promise<Archive> {
  const { location, lineage } = access;
  const key = await checkKey(location, lineage, access.key, access.signal);
  const nameOf = (point: string, section: string): string =>
    sectionName(lineage, hiddenName(key, 'point', point), hiddenName(key, 'section', `${point}\n${section}`));

  async function read(name: string, limit: number): Promise<Json> {
    return JSON.parse(openDocument(key, name, await location.get(name, sealedLimit(limit)), limit).toString('utf8')) as Json;
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
        const there = openDocument(key, name, await location.get(name, sealedLimit(largestSection)), largestSection);
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
      const name = `${pointPrefix(lineage)}${hiddenName(key, 'point', document.name)}`;
      const plain = Buffer.from(JSON.stringify(document));
      if ((await location.put(name, sealDocument(key, name, plain), { ifAbsent: true })) === 'exists') {
        const there = openDocument(key, name, await location.get(name, sealedLimit(largestPoint)), largestPoint);
        if (!there.equals(plain)) throw new TranshipError('Conflict', `Restore point ${document.name} exists already.`);
      }
    },
    async restorePoints() {
      const points: RestorePointDocument[] = [];
      for await (const { name } of location.list(pointPrefix(lineage))) points.push(checkPoint(await read(name, largestPoint), lineage));
      return points.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.name < b.name ? -1 : 1));
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

function checkPoint(value: Json, lineage: string): RestorePointDocument {
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
