/**
 * One set of programs that belong together, from the first source that has it: given, downloaded, built. A source that cannot be
 * reached costs a line, not the run; only when no source is left the caller gets an error, and it names them all.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, sentenceOf, TranshipError } from '../../src/errors.ts';
import { build, builtEarlier } from './build.ts';
import { cacheDir } from './cache.ts';
import { download, downloadKey } from './download.ts';
import { given } from './given.ts';
import type { Origin, Work } from './pieces.ts';
import { downloads, type Download } from './pins.ts';
import type { Recipe } from './recipes.ts';

export type SetNeed = {
  /** `etcd`, `kube-1.36`: also the name of its pinned download. */
  readonly name: string;
  /** Programs, and the versions of each that will do when given by the machine. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly recipe: Recipe;
  readonly light: boolean;
};

/** How the sources are reached; tests put their own in. */
export type Sources = {
  readonly given: typeof given;
  readonly download: typeof download;
  readonly build: typeof build;
  readonly builtEarlier: typeof builtEarlier;
  readonly downloads: typeof downloads;
  readonly env: NodeJS.ProcessEnv;
};
const realSources: Sources = { given, download, build, builtEarlier, downloads, env: process.env };

/** Hosts that did not answer in this process: asked once, not per piece. */
const silentHosts = new Set<string>();

/** Every program of the set with its origin, by name. */
export async function provideSet(need: SetNeed, work: Work, sources: Sources = realSources): Promise<Map<string, Origin>> {
  const result = new Map<string, Origin>();
  const search = { ...work, wanted: need.wanted, env: sources.env, light: need.light };
  for (const [name, found] of await sources.given(search)) result.set(name, { name, source: 'given', ...found });
  const rest = Object.keys(need.wanted).filter((name) => !result.has(name));
  if (rest.length === 0) return result;

  const pinned = sources.downloads[need.name]?.[process.arch];
  const fetched = pinned === undefined ? undefined : await tryDownload(pinned, need.recipe, work, sources);
  const dir = fetched ?? (await sources.build(need.recipe, work));
  const version = fetched === undefined || pinned === undefined ? need.recipe.version : pinned.version;
  for (const name of rest) result.set(name, { name, version, source: fetched === undefined ? 'build' : 'download', path: join(dir, name) });
  return result;
}

/** The directory, or undefined after one line when the download is not to be had. */
async function tryDownload(pinned: Download, recipe: Recipe, work: Work, sources: Sources): Promise<string | undefined> {
  if (existsSync(join(cacheDir(), downloadKey(pinned)))) return sources.download(pinned, work);
  // What was built once is as good, and the network need not be asked again.
  if ((await sources.builtEarlier(recipe)) !== undefined) return undefined;
  const { host } = new URL(pinned.url);
  if (silentHosts.has(host) || sources.env['TRANSHIP_TESTBED_BUILD'] === '1') return undefined;
  try {
    return await sources.download(pinned, work);
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'Unreachable' && code !== 'Integrity') throw error;
    if (code === 'Unreachable') silentHosts.add(host);
    work.onProgress(`${sentenceOf(error)} Building ${recipe.name} instead.`);
    return undefined;
  }
}

/** The origin of a program that must be in the set. */
export function originOf(set: ReadonlyMap<string, Origin>, name: string): Origin {
  const origin = set.get(name);
  if (origin === undefined) throw new TranshipError('Internal', `No source gave ${name}.`);
  return origin;
}
