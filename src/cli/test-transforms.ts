/** The story of `tranship transform test`: a list of transforms tried on pasted objects, or on everything that a migration has captured. */
import { parseAllDocuments } from 'yaml';
import { isRecord, listOf, textOf } from '../api/fields.ts';
import { refOf, type KubeObject } from '../api/object.ts';
import type { Mapping } from '../api/plan.ts';
import type { Transform } from '../api/transform.ts';
import { TranshipError } from '../errors.ts';
import { redactObject, rehearse, transformObject, type Rehearsed } from '../plan/index.ts';
import { exitCodes } from './exit-codes.ts';
import { readText, readTransforms } from './input-files.ts';
import { printJson } from './plan-move.ts';
import { reachByHub } from './reach.ts';
import { transformJson, transformLines } from './render/transforms.ts';
import { getMigration } from './stored.ts';
import type { Surroundings } from './surroundings.ts';
import type { TransformTestOptions } from './verbs/transform.ts';
import { withHub } from './with-hub.ts';

export async function testTransforms(surroundings: Surroundings, options: TransformTestOptions): Promise<number> {
  const { object, migration, filename, output } = options;
  if ((object === undefined) === (migration === undefined)) {
    throw new TranshipError('InvalidInput', 'Name what to try them on: either --object FILE or --migration NAME.');
  }
  const transforms = await readTransforms(filename);
  const tried =
    object === undefined ? await onRestorePoint(surroundings, options, migration ?? '', transforms) : onObjects(object, transforms);
  const names = transforms.map(({ name }) => name);
  if (output === 'json') printJson(surroundings.stdout, transformJson(names, tried, withoutSecrets));
  else for (const line of transformLines(names, tried)) surroundings.stdout.write(`${line}\n`);
  if (tried.some(({ problem }) => problem !== undefined)) return exitCodes.blocked;
  const used = new Set(tried.flatMap(({ results }) => results.map(({ index }) => index)));
  return used.size === transforms.length ? exitCodes.ok : exitCodes.failed;
}

/** A transform can carry a value of a Secret into its annotations; nothing of those is printed either. */
function withoutSecrets(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret') return object;
  const { metadata, ...rest } = redactObject(object);
  const { annotations, labels, ...names } = metadata;
  const hidden = (marks: object | undefined) => Object.fromEntries(Object.keys(marks ?? {}).map((key) => [key, '(redacted)']));
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...names, annotations: hidden(annotations), labels: hidden(labels) },
  };
}

/** As the move would have them: the mapping of the migration is applied first. */
async function onRestorePoint(
  surroundings: Surroundings,
  options: TransformTestOptions,
  name: string,
  transforms: readonly Transform[],
): Promise<Rehearsed[]> {
  return await withHub(surroundings, options, async (hub) => {
    const stored = await getMigration(hub, name);
    const stop = new AbortController();
    const quiet = surroundings.onSignal(() => stop.abort());
    try {
      const { readCapture } = await surroundings.engine();
      const captured = await readCapture(hub, stored, { ...reachByHub(hub, surroundings.env), signal: stop.signal });
      const { mapping } = stored.spec;
      const record = (pairs: readonly { from: string; to: string }[]) => Object.fromEntries(pairs.map(({ from, to }) => [from, to]));
      const plain: Mapping = { ...mapping, namespaces: record(mapping.namespaces), storageClasses: record(mapping.storageClasses) };
      return rehearse(captured, plain, transforms);
    } finally {
      quiet();
    }
  });
}

/** As they are pasted. */
function onObjects(path: string, transforms: readonly Transform[]): Rehearsed[] {
  return objectsIn(readText(path), path).map((object) => {
    const origin = refOf(object);
    const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1);
    const identity = { group: origin.group, version, resource: resourceOf(object.kind), name: origin.name, namespace: origin.namespace };
    return { origin, ...transformObject(object, identity, transforms) };
  });
}

/** YAML or JSON, one or more documents, lists taken apart. @throws InvalidInput */
function objectsIn(text: string, path: string): KubeObject[] {
  const documents = parseAllDocuments(text);
  const found = (Array.isArray(documents) ? documents : []).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new TranshipError('InvalidInput', `${path} is no YAML: ${error.message.split('\n')[0] ?? ''}`);
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    const items = isRecord(value) && Array.isArray(value['items']) ? listOf(value['items']) : value === null ? [] : [value];
    return items.map((item) => asObject(item, path));
  });
  if (found.length === 0) throw new TranshipError('InvalidInput', `${path} holds no object.`);
  return found;
}

function asObject(value: unknown, path: string): KubeObject {
  const named = isRecord(value) && textOf(value['apiVersion']) !== undefined && textOf(value['kind']) !== undefined;
  if (!named || !isRecord(value['metadata']) || textOf(value['metadata']['name']) === undefined) {
    throw new TranshipError('InvalidInput', `${path} holds something that is no object of Kubernetes.`, {
      hint: 'An object has apiVersion, kind and metadata.name.',
    });
  }
  return value as KubeObject; // checked above
}

/** The plural by which an API server serves a kind, by the rule that nearly all follow. Without a cluster nobody can be asked. */
export function resourceOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower === 'endpoints') return lower;
  if (/(?:s|x|ch|sh)$/.test(lower)) return `${lower}es`;
  return /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}
