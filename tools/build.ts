/**
 * Bundles the entries of the product into dist/: `tranship.mjs` (the CLI with its engine) and `mover.mjs` (the program beside a volume).
 * Nothing is done for a bundle that is newer than every source. koffi stays outside, because it finds its native part beside itself.
 */
import { existsSync, globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const entries = [
  { from: 'src/cli/main.ts', to: 'dist/tranship.mjs' },
  { from: 'src/mover/main.ts', to: 'dist/mover.mjs' },
];

const force = process.argv.includes('--force');
const sources = [...globSync('src/**/*.ts', { cwd: root }), 'package.json', 'package-lock.json', 'tools/build.ts'].filter(
  (path) => !path.endsWith('.test.ts'),
);
const newest = Math.max(...sources.map((path) => statSync(join(root, path)).mtimeMs));
let failed = false;

for (const { from, to } of entries) {
  if (!existsSync(join(root, from))) {
    console.error(`build: ${from} does not exist, so ${to} cannot be made.`);
    failed = true;
    continue;
  }
  const target = join(root, to);
  if (!force && existsSync(target) && statSync(target).mtimeMs > newest) continue;
  const started = performance.now();
  await bundle(from, target);
  console.log(`build: ${to} ${Math.round(statSync(target).size / 1024)} KiB in ${Math.round(performance.now() - started)} ms`);
}
process.exitCode = failed ? 1 : 0;

async function bundle(from: string, target: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [from],
    outfile: target,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['koffi'],
    minifySyntax: true,
    minifyWhitespace: true,
    // Names are kept: error names and class names are part of messages.
    keepNames: true,
    legalComments: 'eof',
    logLevel: 'warning',
    // CommonJS packages in the bundle call require() for node's own modules.
    banner: { js: "import { createRequire as bundleRequire } from 'node:module';\nconst require = bundleRequire(import.meta.url);" },
  });
}
