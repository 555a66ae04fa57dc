/**
 * Writes the files that are made from code, or with `--check` says which of them are stale. One line per generated file.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

const generated: Readonly<Record<string, () => Promise<string>>> = {
  'docs/cli.md': async () => (await import('../src/cli/index.ts')).cliReference(),
};

const check = process.argv.includes('--check');
let stale = 0;
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
