/** Ready-made programs from their publishers, used only when every byte is the pinned one. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Agent, interceptors, request, type Dispatcher } from 'undici';
import { TranshipError } from '../../src/errors.ts';
import { cacheDir, cached } from './cache.ts';
import { run } from './command.ts';
import type { Work } from './pieces.ts';
import type { Download } from './pins.ts';

/**
 * Directory with the programs of `download`. Fails with `Unreachable` (5 s to connect) or `Integrity` (wrong bytes, thrown away).
 */
export async function download(what: Download, work: Work, dir = cacheDir()): Promise<string> {
  return cached(downloadKey(what), work, (part) => fetchAndUnpack(what, part, work), dir);
}

/** Name of the cache entry; the hash is part of it, so that another pin is another entry. */
export function downloadKey(what: Download): string {
  return `${what.name}-${what.version}-${process.arch}-${what.hash.hex.slice(0, 8)}`;
}

async function fetchAndUnpack(what: Download, part: string, work: Work): Promise<void> {
  const archive = join(part, 'archive.tar.gz');
  const found = await fetchTo(archive, what, work);
  if (found !== what.hash.hex)
    throw new TranshipError('Integrity', `${what.url} has another ${what.hash.algorithm} hash than the pinned one; it is not used.`, {
      details: { expected: what.hash.hex, found },
    });
  const unpacked = join(part, 'unpacked');
  await mkdir(unpacked);
  // Some archives name their members `./x`, and tar wants the name as it is written.
  const written = (await run('tar', ['-tzf', archive], { signal: work.signal })).split('\n');
  const wanted = written.filter((name) => what.members.includes(name.replace(/^\.\//, '')));
  if (wanted.length !== what.members.length) throw new TranshipError('Integrity', `${what.url} does not hold what it should.`);
  await run('tar', ['-xzf', archive, '-C', unpacked, '--no-same-owner', ...wanted], { signal: work.signal });
  for (const member of what.members) await rename(join(unpacked, member), join(part, member.split('/').at(-1) ?? member));
  await rm(unpacked, { recursive: true });
  await rm(archive);
}

/** Streams the body to a file and returns its hash in hex. */
async function fetchTo(path: string, what: Download, work: Work): Promise<string> {
  const dispatcher = new Agent({ connect: { timeout: 5000 }, bodyTimeout: 30_000 }).compose(interceptors.redirect({ maxRedirections: 5 }));
  const hash = createHash(what.hash.algorithm);
  try {
    const response = await request(what.url, { dispatcher, signal: work.signal });
    if (response.statusCode !== 200) throw new TranshipError('Unreachable', `${what.url} answers ${response.statusCode}.`);
    const meter = progress(what, response, work);
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        meter(chunk.length);
        done(null, chunk);
      },
    });
    await pipeline(response.body, hashing, createWriteStream(path), { signal: work.signal });
    return hash.digest('hex');
  } catch (error) {
    work.signal.throwIfAborted();
    if (error instanceof TranshipError) throw error;
    throw new TranshipError('Unreachable', `${new URL(what.url).host} cannot be reached.`, { cause: error });
  } finally {
    await dispatcher.close().catch(() => {});
  }
}

function progress(what: Download, response: Dispatcher.ResponseData, work: Work): (bytes: number) => void {
  const total = Number(response.headers['content-length'] ?? 0);
  let done = 0;
  let told = performance.now();
  return (bytes) => {
    done += bytes;
    if (performance.now() - told < 3000) return;
    told = performance.now();
    const share = total > 0 ? ` of ${(total / 1e6).toFixed(0)}` : '';
    work.onProgress(`${what.name} ${what.version}: downloaded ${(done / 1e6).toFixed(0)}${share} MB`);
  };
}
