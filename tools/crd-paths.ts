/**
 * Looks up every path that the rule files name in the definitions of their projects, and writes down which were found and where:
 * src/rules/fixtures/crd-paths.json, which a test compares with the rules. Run it by hand when a rule or a project changes:
 *   tools/node tools/crd-paths.ts SOURCE=VERSION:FILE-OR-DIRECTORY …   (definitions as YAML, as their projects ship them)
 */
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { byText, isRecord, listOf, parsePath, recordOf, textOf } from '../src/api/fields.ts';
import { isBuiltInGroup } from '../src/api/served.ts';
import { BUILT_IN, pathsOf } from '../src/rules/index.ts';

interface Definition {
  source: string;
  scope: string;
  schemas: unknown[];
}

const definitions = new Map<string, Definition>();
for (const argument of process.argv.slice(2)) {
  const colon = argument.indexOf(':');
  const [source, place] = [argument.slice(0, colon), argument.slice(colon + 1)];
  const files = statSync(place).isDirectory() ? globSync('**/*.yaml', { cwd: place }).map((file) => join(place, file)) : [place];
  for (const file of files.toSorted()) {
    const documents = parseAllDocuments(readFileSync(file, 'utf8'));
    for (const document of Array.isArray(documents) ? documents : []) read(document.toJS(), source);
  }
}

function read(definition: unknown, source: string): void {
  if (recordOf(definition)['kind'] !== 'CustomResourceDefinition') return;
  const spec = recordOf(recordOf(definition)['spec']);
  const key = `${textOf(recordOf(spec['names'])['kind']) ?? ''}.${textOf(spec['group']) ?? ''}`;
  const schemas = listOf(spec['versions']).map((version) => recordOf(recordOf(version)['schema'])['openAPIV3Schema']);
  definitions.set(key, { source, scope: textOf(spec['scope']) ?? '', schemas });
}

/** Does the path lead to a field of the schema? Maps with free keys and fields without a schema take any. */
function leads(schema: unknown, tokens: readonly string[]): boolean {
  const [token, ...rest] = tokens;
  if (token === undefined) return true;
  const { properties, items, additionalProperties, ...more } = recordOf(schema);
  if (more['x-kubernetes-preserve-unknown-fields'] === true && !isRecord(properties)) return true;
  if (isRecord(items)) return (token === '*' || /^\d+$/.test(token)) && leads(items, rest);
  if (isRecord(properties) && token in properties) return leads(properties[token], rest);
  if (isRecord(additionalProperties)) return leads(additionalProperties, rest);
  return false;
}

const found: Record<string, { source: string; scope: string; paths: string[] }> = {};
let missing = 0;
for (const [kind, group] of BUILT_IN.kinds().toSorted(([a, b], [c, d]) => byText(`${a}.${b}`, `${c}.${d}`))) {
  if (isBuiltInGroup(group) || group.endsWith('snapshot.storage.k8s.io') || group === 'autoscaling.k8s.io') continue;
  const definition = definitions.get(`${kind}.${group}`);
  if (definition === undefined) {
    console.error(`${kind}.${group}: no definition was given`);
    missing += 1;
    continue;
  }
  const paths = pathsOf(BUILT_IN.of(kind, group)).filter((path) => !path.startsWith('metadata.'));
  const lost = paths.filter((path) => !definition.schemas.some((schema) => leads(schema, parsePath(path))));
  for (const path of lost) console.error(`${kind}.${group}: ${path} is in no version of ${definition.source}`);
  missing += lost.length;
  found[`${kind}.${group}`] = {
    source: definition.source,
    scope: definition.scope,
    paths: paths.filter((path) => !lost.includes(path)).toSorted(),
  };
}
const target = join(import.meta.dirname, '..', 'src', 'rules', 'fixtures', 'crd-paths.json');
writeFileSync(target, `${JSON.stringify(found, undefined, 1)}\n`);
console.log(
  `${Object.keys(found).length} kinds, ${Object.values(found).flatMap(({ paths }) => paths).length} paths found, ${missing} missing`,
);
process.exitCode = missing > 0 ? 1 : 0;
