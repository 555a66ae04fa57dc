/** The story of `tranship surface export`: one cluster into one file. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseSurfaceFile, readSide } from '../assess/index.ts';
import type { SurfaceFile } from '../api/surface-file.ts';
import { sentenceOf, TranshipError } from '../errors.ts';
import { exitCodes } from './exit-codes.ts';
import { openContext } from './reach.ts';
import type { Surroundings } from './surroundings.ts';
import type { SurfaceOptions } from './verbs/surface.ts';

export async function exportSurface(surroundings: Surroundings, options: SurfaceOptions): Promise<number> {
  const context = options.from ?? options.to;
  if (context === undefined || (options.from !== undefined && options.to !== undefined)) {
    throw new TranshipError('InvalidInput', 'Name one cluster: --from for the one that the application runs on, --to for the other.');
  }
  const side = options.from === undefined ? 'target' : 'source';
  if (options.for !== undefined && side === 'target') throw new TranshipError('InvalidInput', '--for is for the export of the source.');
  const target = options.for === undefined ? undefined : (await readSurfaceFile(options.for)).surface.resources;
  const stop = new AbortController();
  const quiet = surroundings.onSignal(() => stop.abort());
  const client = openContext(context, options.kubeconfig, surroundings.env);
  try {
    const file = await readSide(client, {
      side,
      namespaces: options.namespace,
      signal: stop.signal,
      ...(target !== undefined && { target }),
      withoutNodeNames: !options.nodeNames,
    });
    const text = `${JSON.stringify(file)}\n`;
    if (options.file === undefined) surroundings.stdout.write(text);
    else {
      await write(options.file, text);
      const what = file.application === undefined ? '' : `, ${file.application.objects.length} objects of the application`;
      surroundings.stderr.write(`Wrote ${options.file}: ${file.surface.cluster.version}, ${file.surface.resources.length} kinds${what}.\n`);
    }
    return exitCodes.ok;
  } finally {
    quiet();
    await client.close();
  }
}

/** @throws NotFound, InvalidInput */
export async function readSurfaceFile(path: string): Promise<SurfaceFile> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new TranshipError('NotFound', `The surface file ${path} cannot be read: ${sentenceOf(error)}.`, {
      cause: error,
      hint: 'Make it with tranship surface export.',
    });
  }
  return parseSurfaceFile(bytes, path);
}

/** Only for its owner: a description of a cluster is nobody else's business. */
async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600 });
  } catch (error) {
    throw new TranshipError('InvalidInput', `${path} cannot be written: ${sentenceOf(error)}.`, { cause: error });
  }
}
