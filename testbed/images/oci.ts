/**
 * OCI images as one tar file (image layout 1.1): layers uncompressed, because they are written and read on one machine. Layers and
 * images are kept in the cache by what went into them.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, cached } from '../pieces/cache.ts';
import type { Work } from '../pieces/index.ts';
import { writeTar, type TarEntry } from './tar.ts';
import type { Tree } from './tree.ts';

export type Layer = { readonly path: string; readonly sha256: string; readonly size: number };

export type ImageConfig = {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly directory?: string;
};

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** The layer `name` made of `inputs` (any text that changes when the content would); `fill` gives its files when it is not cached. */
export async function layer(
  name: string,
  inputs: string,
  fill: (scratch: string) => Promise<Tree>,
  work: Work,
  dir = cacheDir(),
): Promise<Layer> {
  const key = `layer-${name}-${process.arch}-${sha256(Buffer.from(`${await ownSources()}\n${inputs}`)).slice(0, 12)}`;
  const entry = await cached(
    key,
    work,
    async (part) => {
      work.onProgress(`image layer ${name}: packing`);
      const scratch = join(part, 'scratch');
      const result = await writeTar(join(part, 'layer.tar'), await fill(scratch), work.signal);
      await rm(scratch, { recursive: true, force: true });
      await removeOlder(dir, `layer-${name}-${process.arch}-`);
      await writeFile(join(part, 'layer.json'), JSON.stringify(result));
    },
    dir,
  );
  const known: unknown = JSON.parse(await readFile(join(entry, 'layer.json'), 'utf8'));
  return { path: join(entry, 'layer.tar'), ...(known as { sha256: string; size: number }) };
}

/** The image tar of these layers under the name `ref`; absolute path. Older tars of the same image are removed. */
export async function image(
  name: string,
  ref: string,
  layers: readonly Layer[],
  config: ImageConfig,
  work: Work,
  dir = cacheDir(),
): Promise<string> {
  const layout = describe(ref, layers, config);
  const prefix = `image-${name}-${process.arch}-`;
  const entry = await cached(
    `${prefix}${sha256(layout.index).slice(0, 12)}`,
    work,
    async (part) => {
      const entries = new Map<string, TarEntry>([
        ['blobs', { type: 'directory', mode: 0o755 }],
        ['blobs/sha256', { type: 'directory', mode: 0o755 }],
        ['oci-layout', file('{"imageLayoutVersion":"1.0.0"}')],
        ['index.json', file(layout.index)],
        ...[layout.config, layout.manifest].map((bytes) => [`blobs/sha256/${sha256(bytes)}`, file(bytes)] as const),
        ...layers.map(
          ({ path, sha256: hash }) => [`blobs/sha256/${hash}`, { type: 'file', mode: 0o644, content: { from: path } }] as const,
        ),
      ]);
      await writeTar(join(part, 'image.tar'), entries, work.signal);
      await removeOlder(dir, prefix);
    },
    dir,
  );
  return join(entry, 'image.tar');
}

function file(content: string | Buffer): TarEntry {
  return { type: 'file', mode: 0o644, content: Buffer.from(content) };
}

/** The three JSON documents of an image. Pure. */
export function describe(ref: string, layers: readonly Layer[], config: ImageConfig): { config: Buffer; manifest: Buffer; index: Buffer } {
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const configBlob = json({
    architecture,
    os: 'linux',
    config: {
      Env: Object.entries({ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...config.env }).map(
        ([k, v]) => `${k}=${v}`,
      ),
      ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
      ...(config.command === undefined ? {} : { Cmd: config.command }),
      ...(config.user === undefined ? {} : { User: config.user }),
      WorkingDir: config.directory ?? '/',
    },
    rootfs: { type: 'layers', diff_ids: layers.map((one) => `sha256:${one.sha256}`) },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: blob('application/vnd.oci.image.config.v1+json', sha256(configBlob), configBlob.length),
    layers: layers.map((one) => blob('application/vnd.oci.image.layer.v1.tar', one.sha256, one.size)),
  });
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...blob('application/vnd.oci.image.manifest.v1+json', sha256(manifest), manifest.length),
        platform: { architecture, os: 'linux' },
        annotations: { 'io.containerd.image.name': ref, 'org.opencontainers.image.ref.name': ref },
      },
    ],
  });
  return { config: configBlob, manifest, index };
}

function blob(mediaType: string, hash: string, size: number): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: `sha256:${hash}`, size };
}

/** Our own images are made anew with every change: keep the two newest beside the coming one, the rest is only disk space. */
async function removeOlder(dir: string, prefix: string): Promise<void> {
  const old = (await readdir(dir)).filter((name) => name.startsWith(prefix));
  const dated = await Promise.all(old.map(async (name) => ({ name, at: (await stat(join(dir, name))).mtimeMs })));
  for (const { name } of dated.toSorted((a, b) => b.at - a.at).slice(2)) await rm(join(dir, name), { recursive: true, force: true });
}

/** How layers are made is part of what is in them. */
let sources: Promise<string> | undefined;
async function ownSources(): Promise<string> {
  sources ??= (async () => {
    const hash = createHash('sha256');
    for (const name of (await readdir(import.meta.dirname)).toSorted())
      if (name.endsWith('.ts') && !name.endsWith('.test.ts')) hash.update(await readFile(join(import.meta.dirname, name)));
    return hash.digest('hex');
  })();
  return sources;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
