/**
 * Bundles the entries of the product into dist/: `tranship.mjs` (the CLI with its engine), `mover.mjs` (the program beside a volume), and in `chunks/` what
 * they share or load when they need it: each stream of a mover is a thread that loads these files again, and must not pay for what it does not use.
 * Nothing is done when the entries are newer than every source. koffi stays outside, because it finds its native part beside itself.
 */
import { existsSync, globSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const entries: Record<string, string> = { tranship: 'src/cli/main.ts', mover: 'src/mover/main.ts' };
const chunks = join(root, 'dist/chunks');

const sources = [...globSync('src/**/*.ts', { cwd: root }), 'package.json', 'package-lock.json', 'tools/build.ts'].filter(
  (path) => !path.endsWith('.test.ts'),
);
const newest = Math.max(...sources.map((path) => statSync(join(root, path)).mtimeMs));
const made = Object.keys(entries).map((name) => join(root, 'dist', `${name}.mjs`));
const missing = Object.values(entries).filter((from) => !existsSync(join(root, from)));

if (missing.length > 0) {
  console.error(`build: ${missing.join(' and ')} does not exist.`);
  process.exitCode = 1;
} else if (process.argv.includes('--force') || !made.every((path) => existsSync(path) && statSync(path).mtimeMs > newest)) {
  const started = performance.now();
  await bundle();
  const sizes = made.map((path) => `${basename(path)} ${Math.round(statSync(path).size / 1024)} KiB`);
  console.log(`build: dist/ ${sizes.join(', ')}, ${readdirSync(chunks).length} chunks in ${Math.round(performance.now() - started)} ms`);
}

async function bundle(): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    metafile: true,
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
  const wanted = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
  for (const name of readdirSync(chunks)) if (!wanted.has(name)) rmSync(join(chunks, name));
}
