/**
 * Writes the files that are made from code, or with `--check` says which of them are stale. One line per generated file.
 *
 * `--lifecycle` also makes the table of API versions anew, which needs Go and its modules; the check of it needs neither, because the
 * table carries the version of the module that it was made from.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

const generated: Readonly<Record<string, () => Promise<string>>> = {
  'docs/cli.md': async () => (await import('../src/cli/index.ts')).cliReference(),
  'docs/findings.md': async () => (await import('../src/assess/index.ts')).findingsReference(),
};

const check = process.argv.includes('--check');
const lifecycle = 'src/assess/data/api-lifecycle.json';
let stale = 0;
if (process.argv.includes('--lifecycle')) {
  const table = execFileSync('go', ['run', '-mod=mod', '.'], { cwd: join(root, 'tools/api-lifecycle'), encoding: 'utf8' });
  writeFileSync(join(root, lifecycle), table);
  console.log(`wrote ${lifecycle}`);
}
const pinned = /^require (\S+ \S+)$/m.exec(read(join(root, 'tools/api-lifecycle/go.mod')) ?? '')?.[1];
const made = JSON.parse(read(join(root, lifecycle)) ?? '{}') as { module?: string; version?: string };
if (pinned !== `${made.module} ${made.version}`) {
  stale += 1;
  console.error(
    `${lifecycle} is stale: made from ${made.module} ${made.version}, pinned is ${pinned}. tools/node tools/generate.ts --lifecycle`,
  );
}
for (const [path, make] of Object.entries(generated)) {
  const wanted = await make();
  if (read(join(root, path)) === wanted) continue;
  if (check) {
    stale += 1;
    console.error(`${path} is stale.`);
    continue;
  }
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), wanted);
  console.log(`wrote ${path}`);
}
process.exitCode = stale > 0 ? 1 : 0;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
