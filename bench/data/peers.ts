/**
 * The programs that the data engine is measured against, each pinned: restic and kopia are built from the Go modules in bench/build (every
 * byte fixed by go.sum), rsync comes from the system's packages, cp and tar are the machine's own. Only the bench asks for them.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, packages, type Recipe } from '../../testbed/pieces/index.ts';

export interface Work {
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface Program {
  path: string;
  version: string;
  env: Readonly<Record<string, string>>;
}

const none = { stamp: [], links: [], files: [] } as const;

export const resticRecipe: Recipe = {
  ...none,
  name: 'restic',
  version: '0.19.1',
  module: '../../bench/build/restic',
  programs: [{ output: 'restic', package: 'github.com/restic/restic/cmd/restic' }],
};

export const kopiaRecipe: Recipe = {
  ...none,
  name: 'kopia',
  version: '0.23.1',
  module: '../../bench/build/kopia',
  programs: [{ output: 'kopia', package: 'github.com/kopia/kopia' }],
  stamp: ['-X github.com/kopia/kopia/repo.BuildVersion=0.23.1'],
};

export async function provideBuilt(recipe: Recipe, work: Work): Promise<Program> {
  return { path: join(await build(recipe, work), recipe.name), version: recipe.version, env: {} };
}

/** The machine's rsync, or the one of the system's packages unpacked beside it. */
export async function provideRsync(work: Work): Promise<Program> {
  const own = ['/usr/bin/rsync', '/usr/local/bin/rsync'].find((path) => existsSync(path));
  if (own !== undefined) return { path: own, version: versionOf(own), env: {} };
  // The C library stays the machine's: a second one would need its own loader.
  const set = { name: 'rsync', packages: ['rsync'], leftOut: /^(libc6|libc-bin|libcrypt1|libgcc|gcc-|init-system|lsb-|sysvinit)/ };
  const { root, versions } = await packages(set, work);
  const libraries = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const env = { LD_LIBRARY_PATH: ['usr/lib', 'lib'].map((directory) => join(root, directory, libraries)).join(':') };
  return { path: join(root, 'usr/bin/rsync'), version: versions['rsync'] ?? 'unknown', env };
}

/** What the machine brings itself. */
export function ownProgram(name: 'cp' | 'tar'): Program {
  return { path: name, version: versionOf(name), env: {} };
}

function versionOf(program: string): string {
  return /\d+(?:\.\d+)+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0] ?? 'unknown';
}
