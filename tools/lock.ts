/**
 * Completes package-lock.json, or with `--check` says what it lacks. npm leaves packages for other platforms out of a lock file when the
 * registry that it was written with does not hold them, and then `npm ci` refuses that lock file everywhere. Their names, versions
 * and platforms are known from the package that asks for them; a package for another platform is never downloaded.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LockEntry {
  version?: string;
  optionalDependencies?: Record<string, string>;
  [field: string]: unknown;
}

export interface Lock {
  packages: Record<string, LockEntry>;
}

const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32', 'aix'];
const processors = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el'];

/** Entries that are asked for with an exact version and are not there, as npm would write them (without a hash: it is not known here). */
export function missing(lock: Lock): Record<string, LockEntry> {
  const found: Record<string, LockEntry> = {};
  for (const entry of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      if (lock.packages[key] !== undefined || !/^\d+\.\d+\.\d+/.test(version)) continue;
      const platform = platformOf(name);
      if (platform !== undefined) found[key] = { version, ...platform, dev: entry['dev'] === true, optional: true };
    }
  }
  return found;
}

/** @example platformOf('@oxfmt/binding-linux-arm64-musl') → { os: ['linux'], cpu: ['arm64'], libc: ['musl'] } */
export function platformOf(name: string): { os: string[]; cpu: string[]; libc?: string[] } | undefined {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) return undefined;
  const libc = name.includes('musl') ? ['musl'] : os === 'linux' && name.includes('gnu') ? ['glibc'] : undefined;
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc }) };
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock;
  const lacking = missing(lock);
  const names = Object.keys(lacking);
  if (process.argv.includes('--check')) {
    for (const name of names) console.error(`package-lock.json lacks ${name}, so "npm ci" refuses it.`);
    process.exitCode = names.length > 0 ? 1 : 0;
  } else if (names.length > 0) {
    const [root, ...rest] = Object.entries(lock.packages);
    const sorted = [...rest, ...Object.entries(lacking)].toSorted(([a], [b]) => (a < b ? -1 : 1));
    lock.packages = Object.fromEntries(root === undefined ? sorted : [root, ...sorted]);
    writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);
    console.log(`added ${names.length} packages of other platforms to package-lock.json`);
  }
}
