import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../errors.ts';
import { FrameWriter, type Location, openLocation, parseLocationUrl, probeLocation, readFrames, RelayClient, serveRelay } from './index.ts';
import { memoryStore } from './testing/memory-store.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tranship-location-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** What every store must do. */
function contract(open: () => Promise<Location>): void {
  let location: Location;
  before(async () => {
    location = await open();
  });
  after(async () => await location.close());

  it('gives back what was put, whole and in ranges', async () => {
    const body = randomBytes(300_000);
    assert.equal(await location.put('a/b/one', body, { ifAbsent: true }), 'created');
    assert.ok(body.equals(await location.get('a/b/one', 300_000)));
    assert.ok(body.subarray(1000, 51_000).equals(await location.getRange('a/b/one', 1000, 50_000)));
    assert.deepEqual(await location.head('a/b/one'), { size: 300_000 });
  });
  it('never replaces with ifAbsent, also when many write at once', async () => {
    const bodies = Array.from({ length: 8 }, (_, index) => Buffer.from(`writer ${index}`));
    const results = await Promise.all(bodies.map(async (body) => await location.put('race', body, { ifAbsent: true })));
    assert.equal(results.filter((result) => result === 'created').length, 1);
    const winner = bodies[results.indexOf('created')];
    assert.deepEqual(Buffer.from(await location.get('race', 100)), winner);
    assert.equal(await location.put('race', Buffer.from('later'), { ifAbsent: true }), 'exists');
    assert.deepEqual(Buffer.from(await location.get('race', 100)), winner);
  });
  it('refuses a short range and a large object as Integrity', async () => {
    await location.put('short', Buffer.alloc(10), { ifAbsent: true });
    await assert.rejects(location.getRange('short', 5, 10), (error) => codeOf(error) === 'Integrity');
    await assert.rejects(location.getRange('short', 50, 10), (error) => codeOf(error) === 'Integrity');
    await assert.rejects(location.get('short', 9), (error) => codeOf(error) === 'Integrity');
  });
  it('says NotFound for what is not there, and head says undefined', async () => {
    await assert.rejects(location.get('no/such', 10), (error) => codeOf(error) === 'NotFound');
    await assert.rejects(location.getRange('no/such', 0, 10), (error) => codeOf(error) === 'NotFound');
    assert.equal(await location.head('no/such'), undefined);
    await location.delete('no/such');
  });
  it('lists a prefix in byte order and deletes', async () => {
    for (const name of ['l/a/2', 'l/a-1', 'l/a/1', 'l/b', 'l/a0', 'm']) await location.put(name, Buffer.from(name), { ifAbsent: true });
    const names = async (prefix: string): Promise<string[]> => (await Array.fromAsync(location.list(prefix))).map(({ name }) => name);
    assert.deepEqual(await names('l/'), ['l/a-1', 'l/a/1', 'l/a/2', 'l/a0', 'l/b']);
    assert.deepEqual(await names('l/a/'), ['l/a/1', 'l/a/2']);
    await location.delete('l/a/1');
    assert.deepEqual(await names('l/a/'), ['l/a/2']);
    assert.deepEqual(await names('none/'), []);
  });
  it('deletes many at once, those that are not there too, and nothing else', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `many/${index}/x`);
    for (const name of [...names, 'many/kept', 'many/3/y']) await location.put(name, Buffer.from(name), { ifAbsent: true });
    assert.deepEqual(await location.deleteMany([...names, 'many/no/such']), []);
    assert.deepEqual(
      (await Array.fromAsync(location.list('many/'))).map(({ name }) => name),
      ['many/3/y', 'many/kept'],
    );
    assert.deepEqual(await location.deleteMany(names), []);
    // Where it deleted everything, there is room for new objects.
    assert.equal(await location.put('many/0/x', Buffer.from('again'), { ifAbsent: true }), 'created');
    await assert.rejects(location.deleteMany(['many/kept', 'many/../kept']), (error) => codeOf(error) === 'Internal');
  });
  it('says when an object was written, by the clock that it also tells', async () => {
    const earliest = await location.now();
    await location.put('time/one', Buffer.from('x'), { ifAbsent: true });
    const [found] = await Array.fromAsync(location.list('time/'));
    const latest = await location.now();
    // Stores give whole seconds.
    assert.ok(
      found !== undefined && found.modified >= earliest - 2000 && found.modified <= latest + 2000,
      `${earliest} ${found?.modified} ${latest}`,
    );
  });
  it('refuses names that leave the location', async () => {
    for (const name of ['../x', '/x', 'a//b', 'a/../b', '', 'A', 'a b']) {
      await assert.rejects(location.put(name, Buffer.from('x'), { ifAbsent: true }), (error) => codeOf(error) === 'Internal');
    }
  });
  it('stores an empty object', async () => {
    await location.put('empty', Buffer.alloc(0), { ifAbsent: true });
    assert.equal((await location.get('empty', 0)).length, 0);
    assert.equal((await location.getRange('empty', 0, 0)).length, 0);
  });
  it('is found fit by the probe, which leaves nothing', async () => {
    assert.deepEqual(await probeLocation(location), { list: true, read: true, write: true, conditional: true });
    assert.deepEqual(await Array.fromAsync(location.list('.probe/')), []);
  });
}

describe('directory', () => contract(async () => openLocation({ kind: 'directory', path: join(scratch, 'directory') })));

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

describe('memory', () => contract(async () => await Promise.resolve(memoryStore())));

describe('relay', () =>
  contract(async () => {
    const [up, down] = [new PassThrough(), new PassThrough()];
    const client = new RelayClient(new FrameWriter(up));
    const serve = serveRelay(openLocation({ kind: 'directory', path: join(scratch, 'relay') }), new FrameWriter(down));
    void (async () => {
      for await (const { line, body } of readFrames(up)) void serve(line, body);
    })();
    void (async () => {
      for await (const { line, body } of readFrames(down)) client.accept(line, body);
    })();
    return openLocation({ kind: 'relay', url: 'dir:relay' }, { relay: client });
  }));

const gateway = findGateway();
const skip = gateway === undefined ? 'no versitygw binary: set TRANSHIP_VERSITYGW' : false;
if (gateway === undefined) console.error('SKIPPED: the S3 contract did not run, no versitygw binary was found.');

describe('s3', { skip }, () => {
  let server: ChildProcess | undefined;
  let endpoint = '';
  before(async () => {
    const port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    for (const path of ['iam', 'posix/bucket']) mkdirSync(join(scratch, path), { recursive: true });
    server = spawn(gateway ?? '', ['--port', `127.0.0.1:${port}`, '--iam-dir', join(scratch, 'iam'), 'posix', join(scratch, 'posix')], {
      env: { ROOT_ACCESS_KEY: 'test', ROOT_SECRET_KEY: 'testsecret' },
      stdio: 'ignore',
    });
    while (
      !(await fetch(endpoint).then(
        () => true,
        () => false,
      ))
    )
      await sleep(20);
  });
  after(() => server?.kill('SIGKILL'));
  const at = (url: string, secret = 'testsecret'): Location =>
    openLocation(parseLocationUrl(url, { endpoint, credentials: { accessKeyId: 'test', secretAccessKey: secret } }));

  contract(async () => at('s3://bucket/some/prefix'));

  it('deletes more than one request takes', async () => {
    const directory = join(scratch, 'posix/bucket/crowd/n');
    mkdirSync(directory, { recursive: true });
    for (let number = 0; number < 1100; number++) writeFileSync(join(directory, String(number)), 'x');
    const location = at('s3://bucket/crowd');
    const names = await Array.fromAsync(location.list('n/'), ({ name }) => name);
    assert.deepEqual(await location.deleteMany(names), []);
    assert.equal((await Array.fromAsync(location.list('n/'))).length, 0);
    await location.close();
  });
  it('lists more than one page', async () => {
    // Written behind the gateway's back, because its durable puts take seconds for so many.
    const directory = join(scratch, 'posix/bucket/pages/n');
    mkdirSync(directory, { recursive: true });
    for (let number = 0; number < 1100; number++) writeFileSync(join(directory, String(number)), 'x');
    const location = at('s3://bucket/pages');
    assert.equal((await Array.fromAsync(location.list('n/'))).length, 1100);
    await location.close();
  });
  it('names the cure for a missing bucket and wrong credentials, and never the secret', async () => {
    await assert.rejects(
      probeLocation(at('s3://missing-bucket')),
      (error: Error) => codeOf(error) === 'NotFound' && error.message.includes('missing-bucket'),
    );
    await assert.rejects(probeLocation(at('s3://bucket', 'wrong-secret-value')), (error: Error) => {
      assert.ok(!JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('wrong-secret-value'));
      return codeOf(error) === 'Unauthorized';
    });
  });
  it('says Unreachable when nobody answers', async () => {
    const location = openLocation(
      parseLocationUrl('s3://bucket', {
        endpoint: `http://127.0.0.1:${await freePort()}`,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      }),
    );
    await assert.rejects(location.head('x'), (error) => codeOf(error) === 'Unreachable');
  });
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

function findGateway(): string | undefined {
  const given = process.env['TRANSHIP_VERSITYGW'];
  if (given !== undefined) return given;
  return globSync(join(homedir(), '.cache/tranship/testbed/**/versitygw')).find((path) => existsSync(path));
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
