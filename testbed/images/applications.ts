/** Our own programs as images: a thin layer with bundles over the shared Node layer, so that a change costs seconds. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { TranshipError } from '../../src/errors.ts';
import { run } from '../pieces/command.ts';
import type { Work } from '../pieces/index.ts';
import { nodeBase, nodeEnv } from './node-base.ts';
import { image, layer } from './oci.ts';
import { addFile, addFrom, type Tree } from './tree.ts';

const checkout = join(import.meta.dirname, '..', '..');

/** The product: command line and mover, with the native part of koffi beside them. Waits idle until a controller speaks to it. */
export async function tranship(ref: string, work: Work): Promise<string> {
  const tree: Tree = new Map();
  for (const [name, content] of await productBundles(work)) addFile(tree, `app/${name}`, content);
  for (const [path, entry] of await nativeModules()) tree.set(`app/node_modules/${path}`, entry);
  const layers = [await nodeBase(work), await layer('tranship', fingerprint(tree), async () => tree, work)];
  return image('tranship', ref, layers, { command: ['node', '/app/mover.mjs', 'idle'], env: nodeEnv, directory: '/app' }, work);
}

/** Of koffi what runs: its entry, and the native part for this processor and glibc. Paths below node_modules. */
export async function nativeModules(): Promise<Tree> {
  const modules = join(checkout, 'node_modules');
  const parts = [
    { module: 'koffi', wanted: /^(package\.json|LICENSE\.txt|in[^/]*\.c?js|src\/koffi\/(src\/)?[a-z]+\.c?js)$/ },
    { module: `@koromix/koffi-linux-${process.arch}`, wanted: /^(package\.json|index\.js|linux_[^/]+\/koffi\.node)$/ },
  ];
  const tree: Tree = new Map();
  for (const { module, wanted } of parts) {
    const found: Tree = new Map();
    await addFrom(found, join(modules, module), (path) => wanted.test(path));
    for (const [path, entry] of found)
      if (entry.type === 'file' && !Buffer.isBuffer(entry.content)) addFile(tree, `${module}/${path}`, await readFile(entry.content.from));
  }
  return tree;
}

/** The demo's web front. */
export async function demoWeb(ref: string, work: Work): Promise<string> {
  const bundled = await build({
    absWorkingDir: checkout,
    entryPoints: ['demo/web/server.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'silent',
    // CommonJS packages in the bundle call require() for node's own modules.
    banner: { js: "import { createRequire as bundleRequire } from 'node:module';\nconst require = bundleRequire(import.meta.url);" },
  });
  const tree: Tree = new Map();
  addFile(tree, 'app/server.mjs', Buffer.from(bundled.outputFiles[0]?.contents ?? []));
  const layers = [await nodeBase(work), await layer('demo-web', fingerprint(tree), async () => tree, work)];
  return image('demo-web', ref, layers, { command: ['node', '/app/server.mjs'], env: nodeEnv, directory: '/app' }, work);
}

/** dist/ as the build tool makes it; it does nothing when the bundles are newer than their sources. */
async function productBundles(work: Work): Promise<[string, Buffer][]> {
  await run(process.execPath, ['tools/build.ts'], { cwd: checkout, signal: work.signal, onLine: work.onProgress }).catch(
    (error: unknown) => {
      work.signal.throwIfAborted();
      throw new TranshipError('Internal', 'The product does not bundle, so its image cannot be made.', {
        hint: 'Run `node tools/build.ts` to see why.',
        cause: error,
      });
    },
  );
  const names = ['mover.mjs', 'tranship.mjs'];
  const missing = names.find((name) => !existsSync(join(checkout, 'dist', name)));
  if (missing !== undefined) throw new TranshipError('Internal', `tools/build.ts did not make dist/${missing}.`);
  names.push(...(await readdir(join(checkout, 'dist/chunks'))).toSorted().map((name) => `chunks/${name}`));
  return Promise.all(names.map(async (name): Promise<[string, Buffer]> => [name, await readFile(join(checkout, 'dist', name))]));
}

function fingerprint(tree: Tree): string {
  const hash = createHash('sha256');
  for (const [path, entry] of tree) {
    hash.update(`${path} ${entry.mode}\n`);
    if (entry.type === 'file' && Buffer.isBuffer(entry.content)) hash.update(entry.content);
  }
  return hash.digest('hex');
}
