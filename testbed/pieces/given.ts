/**
 * Programs that the machine already has: named by a variable (`TRANSHIP_KUBE_APISERVER`, `TRANSHIP_CSI_PROVISIONER`, …), in a named
 * directory (`TRANSHIP_TESTBED_BIN`, and `KUBEBUILDER_ASSETS` for the light level), or on PATH. Only with the right version.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import { run } from './command.ts';
import type { Work } from './pieces.ts';
import { accepts, versionProbe } from './version.ts';

export type Given = { readonly path: string; readonly version: string };

export type Search = Work & {
  /** Versions that may be used, such as `1.36` or `>=1.1`. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly env: NodeJS.ProcessEnv;
  readonly light: boolean;
};

/** `kube-apiserver` → `TRANSHIP_KUBE_APISERVER`. */
export function variableOf(program: string): string {
  return `TRANSHIP_${program.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Those of a set that are given. What a variable or named directory gives counts one by one; PATH counts only when it holds the whole
 * rest of the set, so that a stray kubectl is not mixed with components of another origin.
 */
export async function given(search: Search): Promise<Map<string, Given>> {
  const found = new Map<string, Given>();
  const onPath = new Map<string, Given>();
  let rest = 0;
  const programs = Object.keys(search.wanted);
  for (const program of programs) {
    const named = namedPath(program, search.env, search.light);
    const version = named === undefined ? undefined : await usable(program, named, search);
    if (named !== undefined && version !== undefined) found.set(program, { path: named, version });
  }
  for (const program of programs) {
    if (found.has(program)) continue;
    rest++;
    const path = onPathOf(program, search.env['PATH'] ?? '');
    if (path === undefined) return found; // not asked for versions: an incomplete set is no use
    onPath.set(program, { path, version: '' });
  }
  for (const [program, { path }] of onPath) {
    const version = await usable(program, path, { ...search, onProgress: () => {} });
    if (version === undefined) return found;
    onPath.set(program, { path, version });
  }
  return rest === 0 ? found : new Map([...found, ...onPath]);
}

function namedPath(program: string, env: NodeJS.ProcessEnv, light: boolean): string | undefined {
  const variable = variableOf(program);
  const value = env[variable];
  if (value) {
    if (!isProgram(value))
      throw new TranshipError('InvalidInput', `${variable} names ${value}, which is not a program that can be run.`, {
        hint: `Correct it, or unset ${variable}.`,
      });
    return resolve(value);
  }
  for (const dir of [env['TRANSHIP_TESTBED_BIN'], light ? env['KUBEBUILDER_ASSETS'] : undefined]) {
    if (!dir) continue;
    const path = resolve(dir, program);
    if (isProgram(path)) return path;
  }
  return undefined;
}

/** Its version when it may be used, else undefined after telling why. */
async function usable(program: string, path: string, search: Search): Promise<string | undefined> {
  const wanted = search.wanted[program] ?? '';
  const version = await versionOf(program, path, search);
  if (version !== undefined && accepts(wanted, version)) return version;
  search.onProgress(`${program}: ${path} is version ${version ?? 'unknown'}, needed is ${wanted}; looking elsewhere`);
  return undefined;
}

async function versionOf(program: string, path: string, work: Work): Promise<string | undefined> {
  const probe = versionProbe(program);
  const lines: string[] = [];
  const signal = AbortSignal.any([work.signal, AbortSignal.timeout(10_000)]);
  await run(path, probe.args, { signal, onLine: (line) => lines.push(line) }).catch(() => work.signal.throwIfAborted());
  return probe.pattern.exec(lines.join('\n'))?.[1];
}

function onPathOf(program: string, path: string): string | undefined {
  for (const dir of path.split(delimiter)) {
    const candidate = join(dir, program);
    if (dir !== '' && isProgram(candidate)) return candidate;
  }
  return undefined;
}

function isProgram(path: string): boolean {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
