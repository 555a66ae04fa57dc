/**
 * Which room may import which, checked over the import lines of src/. Imports go down only, rooms are entered through their
 * index.ts, and `plan` does no I/O. The table below is the whole rule; the linter cannot express it in one place.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ground = ['archive', 'kube', 'location'];
const works = ['assess', 'capture', 'graph', 'rules', 'plan', 'apply', 'volumes', 'hooks', 'traffic', 'compat'];

/** Rooms that a room may import. `api` and src/errors.ts may be read by all. */
const below: Readonly<Record<string, readonly string[]>> = {
  cli: ['server', 'controllers', 'migration', 'hub', ...works, ...ground],
  server: ['controllers', 'migration', 'hub', ...works, ...ground],
  controllers: ['migration', 'hub', ...works, ...ground],
  migration: ['hub', 'mover', ...works, ...ground],
  // An assessment is a plan with more questions asked of more facts.
  assess: ['capture', 'kube', 'plan', 'rules'],
  // What is known about kinds is data, read by everybody who works on objects.
  rules: [],
  graph: ['rules'],
  capture: ['kube', 'rules'],
  plan: ['graph', 'rules'],
  // The plan's marks on objects are what apply reads back; plan is pure, so this arrow costs nothing.
  apply: ['kube', 'plan'],
  // mover/index.ts is the control end of the channel; the program itself (mover/main.ts) is never imported.
  volumes: ['archive', 'kube', 'location', 'mover'],
  hooks: ['kube'],
  traffic: ['kube'],
  compat: ['plan'],
  archive: ['location'],
  hub: ['kube'],
  kube: [],
  location: [],
  mover: ['archive', 'location'],
  api: [],
};

/** Files that stand beside an index.ts as a door of their own: the mover is a program, its protocol is what both ends read. */
const extraDoors = new Set(['mover/protocol.ts']);

/** `plan` is pure: same input, same bytes. Hashing is the only thing of Node that it needs. */
const pureRooms: Readonly<Record<string, readonly string[]>> = { plan: ['node:crypto', 're2js', 'rfc6902'], graph: [], rules: [] };

export interface ImportLine {
  specifier: string;
  typeOnly: boolean;
}

const importPattern = /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** All static and dynamic imports of a source text. `import('x').Type` in a type position counts as dynamic: write an import line. */
export function importsOf(source: string): ImportLine[] {
  return [...source.matchAll(importPattern)].map((match) => ({
    specifier: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }));
}

/**
 * What is wrong with the imports of one file, one sentence each.
 * @param file path below src/, such as `plan/names.ts`
 */
export function violations(file: string, source: string): string[] {
  const room = file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
  if (room === '' || isTest(file)) return [];
  const allowed = below[room];
  if (allowed === undefined) return [`src/${file}: the room ${room} is not in the table of tools/arrows.ts.`];
  const found: string[] = [];
  for (const { specifier, typeOnly } of importsOf(source)) {
    if (!specifier.startsWith('.')) {
      const pure = pureRooms[room];
      if (pure !== undefined && !typeOnly && !pure.includes(specifier))
        found.push(`src/${file}: ${room} is pure and may not import ${specifier}.`);
      continue;
    }
    const target = normalize(join(dirname(file), specifier));
    if (target.startsWith('..')) {
      if (!target.endsWith('.json')) found.push(`src/${file}: imports ${specifier}, which is outside of src/.`);
      continue;
    }
    const other = target.includes('/') ? target.slice(0, target.indexOf('/')) : '';
    if (other === room || other === '' || other === 'api') continue;
    if (extraDoors.has(target) && (typeOnly || allowed.includes(other))) continue;
    if (!allowed.includes(other)) found.push(`src/${file}: ${room} may not import ${other} (${specifier}).`);
    else if (!isDoor(target, other, typeOnly)) found.push(`src/${file}: ${specifier} goes past the door, import ${other}/index.ts.`);
  }
  return found;
}

/** The index, and for types also the contract file that has the room's name. */
function isDoor(target: string, room: string, typeOnly: boolean): boolean {
  return target === `${room}/index.ts` || (typeOnly && target === `${room}/${room}.ts`);
}

/** Tests use fakes of the rooms below and may look anywhere; what ships may not. */
function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || /(^|\/)(testing|fixtures)\//.test(file) || /(^|\/)(fake|contract)[^/]*\.ts$/.test(file);
}

if (import.meta.main) {
  const src = join(import.meta.dirname, '..', 'src');
  const files = globSync('**/*.ts', { cwd: src }).toSorted();
  const found = files.flatMap((file) => violations(file, readFileSync(join(src, file), 'utf8')));
  for (const line of found) console.error(line);
  console.log(`${files.length} files, ${found.length} forbidden imports`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
