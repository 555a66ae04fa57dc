/**
 * The system's packages without installing them: apt with a private state reads the machine's own sources, resolves what belongs
 * together and checks the signatures; dpkg only unpacks. Nothing of the machine is changed and root is not needed.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sentenceOf, TranshipError } from '../../src/errors.ts';
import { cacheDir, cached } from './cache.ts';
import { run } from './command.ts';
import type { Work } from './pieces.ts';

export type Packages = {
  /** Directory with the unpacked files, laid out like `/`. */
  readonly root: string;
  /** Version by package name. */
  readonly versions: Readonly<Record<string, string>>;
};

export type PackageSet = {
  readonly name: string;
  readonly packages: readonly string[];
  /** Packages of the closure that are not unpacked. */
  readonly leftOut: RegExp;
  /** Runs once on the freshly unpacked root. */
  readonly finish?: (root: string) => Promise<void>;
};

/**
 * Unpacked packages with everything they depend on. The first call asks the archive which versions are current; from then on the cached
 * set stands until the cache is cleared, so that one machine's test beds do not change under way.
 */
export async function packages(set: PackageSet, work: Work, dir = cacheDir()): Promise<Packages> {
  const asked = createHash('sha256').update(JSON.stringify([set.packages, set.leftOut.source, set.finish?.toString() ?? '']));
  const key = `packages-${set.name}-${process.arch}-${asked.digest('hex').slice(0, 8)}`;
  const entry = await cached(key, work, (part) => unpackClosure(set, part, work), dir);
  const versions: unknown = JSON.parse(await readFile(join(entry, 'versions.json'), 'utf8'));
  return { root: join(entry, 'root'), versions: versions as Record<string, string> };
}

async function unpackClosure(set: PackageSet, part: string, work: Work): Promise<void> {
  const apt = await privateApt(set, part, work);
  const wanted = closureOf(await apt('install', '--yes', '--print-uris', ...set.packages)).filter(({ name }) => !set.leftOut.test(name));
  if (wanted.length === 0) throw missing(set, 'apt named no packages');
  work.onProgress(`packages for ${set.name}: downloading ${wanted.length}`);
  const debs = join(part, 'debs');
  await mkdir(debs);
  await apt('download', ...wanted.map(({ name, version }) => `${name}=${version}`));
  const root = join(part, 'root');
  await mkdir(root);
  for (const deb of (await readdir(debs)).toSorted()) await run('dpkg-deb', ['--extract', join(debs, deb), root], { signal: work.signal });
  await set.finish?.(root);
  await writeFile(
    join(part, 'versions.json'),
    JSON.stringify(Object.fromEntries(wanted.map(({ name, version }) => [name, version])), null, 1),
  );
  await rm(debs, { recursive: true });
  await rm(join(part, 'apt'), { recursive: true });
}

type Apt = (...args: readonly string[]) => Promise<string>;

/** apt-get whose lists, cache and idea of what is installed (nothing) live in `part`. */
async function privateApt(set: PackageSet, part: string, work: Work): Promise<Apt> {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) throw missing(set, 'this system has no apt');
  const state = join(part, 'apt');
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(state, 'cache', 'archives', 'partial'), { recursive: true });
  await writeFile(join(state, 'status'), ''); // nothing installed: the solver must name the whole closure
  const options = {
    'Dir::State': state,
    'Dir::State::lists': join(state, 'lists'),
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': join(state, 'cache'),
    'APT::Sandbox::User': 'root', // the cache is the caller's; the _apt user could not write there
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    'Acquire::Retries': '2',
  };
  const fixed = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const apt: Apt = async (verb, ...args) => {
    const cwd = verb === 'download' ? join(part, 'debs') : state;
    try {
      return await run('apt-get', [...fixed, ...(verb === undefined ? [] : [verb]), ...args], { signal: work.signal, env, cwd });
    } catch (error) {
      work.signal.throwIfAborted();
      throw missing(set, `apt-get ${verb} failed`, error);
    }
  };
  work.onProgress(`packages for ${set.name}: reading the package lists`);
  // One dead third-party source must not matter: what is really missing shows in the next step.
  await apt('update').catch((error: unknown) => {
    work.signal.throwIfAborted();
    work.onProgress(`packages for ${set.name}: ${sentenceOf(error instanceof Error ? error.cause : error)}`);
  });
  return apt;
}

/** Name and version from `apt-get --print-uris`: `'URI' name_version_arch.deb size hash`, colons of the version written %3a. Pure. */
export function closureOf(printed: string): { readonly name: string; readonly version: string }[] {
  return [...printed.matchAll(/^'[^']+' ([^_\s]+)_([^_\s]+)_\w+\.deb /gm)].map(([, name, version]) => ({
    name: name ?? '',
    version: decodeURIComponent(version ?? ''),
  }));
}

function missing(set: PackageSet, why: string, cause?: unknown): TranshipError {
  return new TranshipError('Unsupported', `The packages for ${set.name} (${set.packages.join(', ')}) cannot be had: ${why}.`, {
    hint: 'Nodes need a Debian or Ubuntu system that can reach its package archive; the light level (API only) works without.',
    cause,
  });
}
