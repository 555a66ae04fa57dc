import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, describe, it } from 'node:test';
import { codeOf } from '../errors.ts';
import { FrameWriter, type Location, openLocation, parseLocationUrl, readFrames, RelayClient, serveRelay } from './index.ts';
import { locationContract } from './location.contract.ts';
import { memoryStore } from './testing/memory-store.ts';

// The contract of S3, on two servers: e2e/control/s3.control.test.ts.

const scratch = mkdtempSync(join(tmpdir(), 'tranship-location-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Empty files; by `put` each costs two syncs of the disk. */
const filled = (root: string) => ({
  async fill(prefix: string, names: string[]) {
    mkdirSync(join(root, prefix), { recursive: true });
    for (const name of names) writeFileSync(join(root, name), '');
  },
});

describe('memory', () => locationContract(async () => await Promise.resolve(memoryStore())));

describe('directory', () =>
  locationContract(async () => openLocation({ kind: 'directory', path: join(scratch, 'directory') }), filled(join(scratch, 'directory'))));

it('many streams make the same new directories at the same time', async () => {
  for (let round = 0; round < 40; round++) {
    const path = join(scratch, 'streams', String(round));
    const puts = Array.from(
      { length: 8 },
      async (_, stream) => await openLocation({ kind: 'directory', path }).put(`a/b/c/d/e/${stream}`, Buffer.from('x'), { ifAbsent: true }),
    );
    assert.deepEqual(
      await Promise.all(puts),
      Array.from({ length: 8 }, () => 'created'),
    );
  }
});

describe('relay', () => locationContract(async () => relayed(join(scratch, 'relay')), filled(join(scratch, 'relay'))));

/** A directory at the other end of a channel. */
function relayed(path: string): Location {
  const [up, down] = [new PassThrough(), new PassThrough()];
  const client = new RelayClient(new FrameWriter(up));
  const serve = serveRelay(openLocation({ kind: 'directory', path }), new FrameWriter(down));
  void (async () => {
    for await (const { line, body } of readFrames(up)) void serve(line, body);
  })();
  void (async () => {
    for await (const { line, body } of readFrames(down)) client.accept(line, body);
  })();
  return openLocation({ kind: 'relay', url: 'dir:relay' }, { relay: client });
}

it('a relayed request that is not answered ends with its signal', async () => {
  const silent = new RelayClient(new FrameWriter(new PassThrough()));
  const location = openLocation({ kind: 'relay', url: 'dir:relay' }, { relay: silent });
  const stop = new AbortController();
  const asked = location.get('x', 1, stop.signal);
  stop.abort();
  await assert.rejects(asked, (error) => codeOf(error) === 'Canceled');
});

describe('parseLocationUrl', () => {
  it('reads buckets, prefixes and directories', () => {
    assert.deepEqual(parseLocationUrl('s3://bucket/a//b/'), {
      kind: 's3',
      bucket: 'bucket',
      prefix: 'a/b',
      region: 'us-east-1',
      pathStyle: false,
    });
    assert.deepEqual(parseLocationUrl('dir:/x/y'), { kind: 'directory', path: '/x/y' });
  });
  it('refuses what it does not understand', () => {
    for (const url of ['ftp://x', 's3://', 's3://B', 'dir:', 's3://bucket/../x']) {
      assert.throws(
        () => parseLocationUrl(url),
        (error) => codeOf(error) === 'InvalidInput',
      );
    }
    assert.throws(
      () => parseLocationUrl('s3://bucket', { endpoint: 'http://user:pw@host' }),
      (error: Error) => !error.message.includes('pw'),
    );
  });
});
