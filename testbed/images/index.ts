/**
 * Container images of the test bed, made without Docker: each is one OCI tar that `ctr images import` takes. Kept in the cache, named by
 * what went into them, so that an unchanged image is never made twice.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Work } from '../pieces/index.ts';
import { builtVersions } from '../pieces/pins.ts';
import { demoWeb, tranship } from './applications.ts';
import { postgres } from './postgres.ts';
import { busybox, coredns, pause } from './small.ts';

export type ImageName = 'pause' | 'busybox' | 'coredns' | 'postgres' | 'tranship' | 'demo-web';
/** `ref` is the name that pods use; `tar` an OCI layout in a tar file (absolute path). */
export type Image = { readonly ref: string; readonly tar: string };

const makers: Readonly<Record<ImageName, (ref: string, work: Work) => Promise<string>>> = {
  pause,
  busybox,
  coredns,
  postgres,
  tranship,
  'demo-web': demoWeb,
};

/** The name that pods use for an image, without making it. */
export async function imageRef(name: ImageName): Promise<string> {
  if (name === 'tranship') {
    const text = await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
    return `docker.io/tranship/tranship:${z.object({ version: z.string() }).parse(JSON.parse(text)).version}`;
  }
  const tags = { pause: '1', busybox: '1', coredns: builtVersions.coredns, postgres: '15', 'demo-web': '1' } as const;
  return `localhost/${name}:${tags[name]}`;
}

/**
 * The asked images, made where needed (one after the other: packing is bound by the disk).
 * Fails with `Unsupported` and the cure where the system's packages cannot be had.
 * @example (await provideImages(['pause', 'tranship'], { signal, onProgress })).pause.tar
 */
export async function provideImages<Name extends ImageName>(need: readonly Name[], work: Work): Promise<Record<Name, Image>> {
  const made: [Name, Image][] = [];
  for (const name of need) {
    work.signal.throwIfAborted();
    const ref = await imageRef(name);
    made.push([name, { ref, tar: await makers[name](ref, work) }]);
  }
  return Object.fromEntries(made) as Record<Name, Image>;
}
