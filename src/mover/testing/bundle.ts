/** The mover as it ships: one process from the bundled program, which starts in a fraction of the time of the sources. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { MoverChannel } from '../client.ts';

export interface Bundle {
  /** The program file. */
  entry: URL;
  /** Starts `mover run`. */
  start(): ChildProcess & MoverChannel;
  remove(): void;
}

/** Bundles with the product's own settings (tools/build.ts), into a directory of this process, below node_modules because koffi is found from there. */
export async function bundleMover(): Promise<Bundle> {
  const cache = join(import.meta.dirname, '../../../node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const outdir = mkdtempSync(join(cache, `mover-${process.pid}-`));
  await build({
    entryPoints: { mover: join(import.meta.dirname, '../main.ts') },
    outdir,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['koffi'],
    keepNames: true,
    logLevel: 'warning',
    banner: { js: "import { createRequire as bundleRequire } from 'node:module';\nconst require = bundleRequire(import.meta.url);" },
  });
  return {
    entry: pathToFileURL(join(outdir, 'mover.mjs')),
    start: () => spawn(process.execPath, [join(outdir, 'mover.mjs'), 'run'], { stdio: ['pipe', 'pipe', 'pipe'] }),
    remove: () => rmSync(outdir, { recursive: true }),
  };
}
