/**
 * Builds programs from the Go modules beside this room (testbed/build). Every version is fixed by go.mod and every byte by go.sum, so
 * the result is the same years later, on any distribution with Go.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { TranshipError } from '../../src/errors.ts';
import { cacheDir, cached } from './cache.ts';
import { run } from './command.ts';
import type { Work } from './pieces.ts';
import { neededGo, type Recipe } from './recipes.ts';

const modules = join(import.meta.dirname, '..', 'build');

/** Directory with the programs of `recipe`, built when the cache does not hold them. */
export async function build(recipe: Recipe, work: Work): Promise<string> {
  const source = join(modules, recipe.module);
  return cached(await buildKey(recipe), work, async (dir) => {
    const env = await goEnvironment(recipe, work);
    const started = performance.now();
    for (const program of recipe.programs) {
      const args = ['build', '-v', '-p', String(availableParallelism()), '-trimpath', '-buildvcs=false'];
      args.push('-ldflags', ['-s -w', ...recipe.stamp].join(' '), '-o', join(dir, program.output), program.package);
      await building(recipe, program.output, started, work, (onLine) => run('go', args, { cwd: source, env, signal: work.signal, onLine }));
    }
    for (const [link, target] of recipe.links) await symlink(target, join(dir, link));
    for (const file of recipe.files) {
      const from = await run('go', ['list', '-m', '-f', '{{.Dir}}', file.module], { cwd: source, env, signal: work.signal });
      await mkdir(join(dir, 'files'), { recursive: true });
      for (const path of file.paths) await copyFile(join(from.trim(), path), join(dir, 'files', path.split('/').at(-1) ?? path));
    }
    work.onProgress(`${recipe.name} ${recipe.version}: built in ${seconds(started)} s`);
  });
}

/** Where an earlier build of exactly this recipe is, if there was one. */
export async function builtEarlier(recipe: Recipe): Promise<string | undefined> {
  const entry = join(cacheDir(), await buildKey(recipe));
  return existsSync(entry) ? entry : undefined;
}

async function buildKey(recipe: Recipe): Promise<string> {
  return `${recipe.name}-${recipe.version}-${process.arch}-${await fingerprint(join(modules, recipe.module), recipe)}`;
}

/** A line every few seconds: what is built, for how long, how far (`go build -v` names each module it fetches and each package it compiles). */
async function building(
  recipe: Recipe,
  output: string,
  started: number,
  work: Work,
  go: (onLine: (line: string) => void) => Promise<unknown>,
): Promise<void> {
  const count = { modules: 0, packages: 0 };
  const timer = setInterval(() => {
    const done = [
      count.modules > 0 ? `, ${count.modules} modules downloaded` : '',
      count.packages > 0 ? `, ${count.packages} packages compiled` : '',
    ].join('');
    work.onProgress(`${recipe.name} ${recipe.version}: building ${output}, ${seconds(started)} s${done}`);
  }, 5000);
  try {
    await go((line) => count[line.startsWith('go: downloading') ? 'modules' : 'packages']++);
  } finally {
    clearInterval(timer);
  }
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(0);
}

/** The environment of the compiler; fails with the cure when Go is missing or too old. */
async function goEnvironment(recipe: Recipe, work: Work): Promise<NodeJS.ProcessEnv> {
  // local: a build must not quietly fetch another compiler than the one that the user installed.
  const env = { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '', GOOS: 'linux' };
  const names = recipe.links.length > 0 ? recipe.links.map(([link]) => link) : recipe.programs.map(({ output }) => output);
  const hint = [
    `Install Go ${neededGo} or newer (https://go.dev/dl), or name a directory that has ${names.join(', ')} in TRANSHIP_TESTBED_BIN.`,
    'Clusters that you have already need none of this.',
  ].join(' ');
  const found = await run('go', ['env', 'GOVERSION'], { env, signal: work.signal }).catch((cause: unknown) => {
    work.signal.throwIfAborted();
    const sentence = `Go is not installed (no \`go\` on PATH), so ${recipe.name} ${recipe.version} cannot be built for the test bed.`;
    throw new TranshipError('Unsupported', sentence, { hint, cause });
  });
  if (!isNewEnough(found))
    throw new TranshipError('Unsupported', `Go ${neededGo} or newer is needed to build ${recipe.name}; on PATH is ${found.trim()}.`, {
      hint,
    });
  return env;
}

/** Does `go env GOVERSION` (such as `go1.26.8`) reach the version that the modules need? */
export function isNewEnough(goVersion: string, needed: string = neededGo): boolean {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(goVersion) ?? [];
  const [needMajor, needMinor] = needed.split('.').map(Number);
  if (major === undefined || minor === undefined || needMajor === undefined || needMinor === undefined) return false;
  return Number(major) > needMajor || (Number(major) === needMajor && Number(minor) >= needMinor);
}

/** Changes with anything that changes the programs: module files, own sources, flags. */
async function fingerprint(source: string, recipe: Recipe): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(recipe));
  for (const name of (await readdir(source)).toSorted()) hash.update(name).update(await readFile(join(source, name)));
  return hash.digest('hex').slice(0, 8);
}
