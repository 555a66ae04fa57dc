/** Our S3 client before two real servers and through a proxy that harms requests: every request ends right, or says what is wrong and what to do. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { codeOf, sentenceOf } from '../../src/errors.ts';
import { openLocation, parseLocationUrl, probeLocation, type Location, type Patience } from '../../src/location/index.ts';
import { freePort, type S3Server, type S3ServerKind } from '../../testbed/s3/loopback.ts';
import { faultProxy, type FaultProxy, type Harm, type Verb } from './fault-proxy.ts';
import { s3Programs, startStoreOf } from './store.ts';

const { skip } = s3Programs;
/** Milliseconds instead of seconds; as many tries as in earnest. */
const quick: Partial<Patience> = { waitMs: 2, longestWaitMs: 20, idleMs: 20_000, firstAttempts: 5, attempts: 6 };
/** For what stalls on purpose. A busy machine must not look so: hence more tries. */
const impatient: Partial<Patience> = { ...quick, idleMs: 1000, firstAttempts: 12, attempts: 12 };

for (const kind of ['versitygw', 'minio'] as const) describe(kind, { skip }, () => onServer(kind));

function onServer(kind: S3ServerKind): void {
  let server: S3Server;
  let proxy: FaultProxy;
  before(async () => {
    server = await startStoreOf(kind);
    proxy = await faultProxy(server.endpoint);
  });
  after(async () => {
    await proxy?.close();
    await server?.close();
  });
  const open: Location[] = [];
  afterEach(async () => {
    proxy.reset();
    for (const location of open.splice(0)) await location.close();
  });

  interface How {
    prefix?: string;
    endpoint?: string;
    secret?: string;
    patience?: Partial<Patience>;
    region?: string;
    bucket?: string;
  }
  function at(how: How = {}): Location {
    const { bucket, accessKeyId, secretAccessKey, region } = server;
    const url = `s3://${how.bucket ?? bucket}/${how.prefix ?? 'faults'}`;
    const credentials = { accessKeyId, secretAccessKey: how.secret ?? secretAccessKey };
    return openLocation(parseLocationUrl(url, { endpoint: how.endpoint ?? server.endpoint, region: how.region ?? region, credentials }), {
      patience: how.patience ?? quick,
    });
  }
  /** Through the proxy. */
  function faulty(how: How = {}): Location {
    const location = at({ endpoint: proxy.endpoint, ...how });
    open.push(location);
    return location;
  }
  const newName = (): string => `o/${randomBytes(6).toString('hex')}`;

  /** Harms that pass: the request is tried again and ends right. */
  const passing: [string, Harm][] = [
    ['is cut', { do: 'cut' }],
    ['is done, but its answer is lost', { do: 'lose' }],
    ['is answered by half, then reset', { do: 'half', end: 'reset' }],
    ['is answered by half, then closed', { do: 'half', end: 'close' }],
    ['is not answered', { do: 'stall', after: 'nothing' }],
    ['is answered by half, then nothing', { do: 'stall', after: 'half' }],
    ['is answered slowly', { do: 'slow', ms: 100 }],
    ['is answered 500', { do: 'answer', status: 500, code: 'InternalError' }],
    ['is answered 502 without S3’s words', { do: 'answer', status: 502, code: '' }],
    ['is answered 503 SlowDown', { do: 'answer', status: 503, code: 'SlowDown' }],
    ['is answered 429', { do: 'answer', status: 429, code: 'TooManyRequests', headers: { 'retry-after': '0' } }],
  ];
  const verbs: Partial<Record<Verb, (location: Location) => Promise<void>>> = {
    async put(location) {
      const body = randomBytes(70_000);
      const name = newName();
      // The answer is ours even when the first try had stored it already.
      assert.equal(await location.put(name, body, { ifAbsent: true }), 'created');
      assert.ok(body.equals(await location.get(name, body.length)));
    },
    async get(location) {
      const body = randomBytes(70_000);
      const name = newName();
      await location.put(name, body, { ifAbsent: true });
      assert.ok(body.equals(await location.get(name, body.length)));
      assert.ok(body.subarray(100, 60_000).equals(await location.getRange(name, 100, 59_900)));
    },
    async head(location) {
      const name = newName();
      await location.put(name, Buffer.alloc(3), { ifAbsent: true });
      assert.deepEqual(await location.head(name), { size: 3 });
      assert.equal(await location.head(newName()), undefined);
    },
    async list(location) {
      const under = newName();
      for (const part of [1, 2, 3]) await location.put(`${under}/${part}`, Buffer.alloc(part), { ifAbsent: true });
      const found = await Array.fromAsync(location.list(`${under}/`), ({ name, size }) => ({ name, size }));
      assert.deepEqual(
        found,
        [1, 2, 3].map((part) => ({ name: `${under}/${part}`, size: part })),
      );
    },
    async delete(location) {
      const name = newName();
      await location.put(name, Buffer.alloc(3), { ifAbsent: true });
      await location.delete(name);
      assert.equal(await location.head(name), undefined);
    },
  };
  for (const [verb, work] of Object.entries(verbs) as [Verb, (location: Location) => Promise<void>][])
    for (const [what, harm] of passing)
      it(`a ${verb} that ${what} ends right`, { timeout: 80_000 }, async () => {
        const location = faulty({ patience: harm.do === 'stall' ? impatient : quick });
        await location.head('warm'); // loads the client, and tells it that the store answers
        proxy.next(verb, harm, 2);
        await work(location);
        const tries = proxy.seen.filter((seen) => seen === verb).length;
        // What a put had stored is found by its next try, without another put.
        assert.ok(verb === 'put' || tries >= (harm.do === 'slow' ? 1 : 3), `${tries} tries`);
      });

  const large = randomBytes(33 << 20);
  async function uploads(): Promise<string[]> {
    const { bucket, accessKeyId, secretAccessKey, endpoint, region } = server;
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
    try {
      const found = [];
      // MinIO lists uploads of one name only.
      for (const name of begun) {
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `faults/${name}` }));
        for (const { Key = '', UploadId } of Uploads) {
          found.push(Key);
          await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
        }
      }
      return found;
    } finally {
      client.destroy();
    }
  }
  let begun: string[] = [];
  const newLarge = (): string => {
    begun = [newName()];
    return begun[0] ?? '';
  };
  for (const verb of ['begin', 'part', 'complete'] as const)
    for (const [what, harm] of passing.filter(
      ([, how]) => how.do === 'cut' || how.do === 'lose' || ('code' in how && how.code === 'SlowDown'),
    ))
      it(`of a large object a ${verb} that ${what} ends right and leaves no parts`, { timeout: 120_000 }, async () => {
        const location = faulty();
        await location.head('warm');
        proxy.next(verb, harm, 2);
        const name = newLarge();
        assert.equal(await location.put(name, large, { ifAbsent: true }), 'created');
        assert.ok(large.equals(await location.get(name, large.length)));
        assert.deepEqual(await uploads(), []);
        assert.ok(proxy.seen.includes('part'), 'sent in parts');
        await location.delete(name);
      });
  it('takes back a large object that cannot be finished, is refused, or is canceled', { timeout: 240_000 }, async () => {
    const down: Harm = { do: 'answer', status: 503, code: 'SlowDown' };
    for (const [verb, harm, code] of [
      ['part', down, 'Unreachable'],
      ['complete', down, 'Unreachable'],
      ['part', { do: 'answer', status: 403, code: 'AccessDenied' }, 'Forbidden'],
    ] as const) {
      const location = faulty();
      proxy.next(verb, harm, 50);
      const name = newLarge();
      await assert.rejects(location.put(name, large, { ifAbsent: true }), (error: Error) => {
        assert.ok(error.message.includes(name), error.message);
        return codeOf(error) === code;
      });
      assert.deepEqual(await uploads(), [], `${verb} ${code}`);
      assert.equal(await at().head(name), undefined);
      proxy.reset();
    }
    const stop = new AbortController();
    const location = faulty({ patience: {} });
    proxy.next('part', { do: 'stall', after: 'nothing' }, 9);
    proxy.otherwise = (verb) => (verb === 'part' && stop.abort(), { do: 'none' });
    const name = newLarge();
    setTimeout(() => stop.abort(), 1500);
    await assert.rejects(location.put(name, large, { ifAbsent: true, signal: stop.signal }), (error) => codeOf(error) === 'Canceled');
    assert.deepEqual(await uploads(), []);
  });

  it('never replaces what another writer stored while our answer was lost', async () => {
    const location = faulty();
    await location.head('warm');
    const name = newName();
    // Ours is refused by a cut; another one comes first.
    proxy.otherwise = (verb) => {
      if (verb !== 'put') return { do: 'none' };
      proxy.otherwise = () => ({ do: 'none' });
      return { do: 'cut' };
    };
    const other = at();
    await other.put(name, Buffer.from('theirs'), { ifAbsent: true });
    assert.equal(await location.put(name, Buffer.from('mine!!'), { ifAbsent: true }), 'exists');
    assert.equal(Buffer.from(await other.get(name, 10)).toString(), 'theirs');
    await other.close();
  });

  it('keeps to conditional create where the store does not know it', async () => {
    const location = faulty();
    const name = newName();
    proxy.next('put', { do: 'answer', status: 501, code: 'NotImplemented' });
    assert.equal(await location.put(name, Buffer.from('one'), { ifAbsent: true }), 'created');
    assert.equal(await location.put(name, Buffer.from('two'), { ifAbsent: true }), 'exists');
    assert.equal(Buffer.from(await location.get(name, 10)).toString(), 'one');
  });

  it('refuses bytes that were changed on the way to the store, and sends them again', async () => {
    const location = faulty();
    const body = randomBytes(70_000);
    const name = newName();
    proxy.next('put', { do: 'flip', what: 'request' }, 2);
    assert.equal(await location.put(name, body, { ifAbsent: true }), 'created');
    assert.ok(body.equals(await location.get(name, body.length)));
    proxy.next('put', { do: 'flip', what: 'request' }, 20);
    await assert.rejects(location.put(newName(), body, { ifAbsent: true }), (error) =>
      ['Integrity', 'Unauthorized'].includes(codeOf(error)),
    );
  });

  it('takes a shortened or displaced body for what it is', async () => {
    const location = faulty();
    const body = randomBytes(70_000);
    const name = newName();
    await location.put(name, body, { ifAbsent: true });
    proxy.next('get', { do: 'shorten' }, 2);
    assert.ok(body.subarray(10, 60_010).equals(await location.getRange(name, 10, 60_000)), 'a range says how long it is');
    proxy.reset();
    proxy.next('get', { do: 'shorten' }, 1);
    assert.equal((await location.get(name, body.length)).length, 35_000, 'a whole object does not: its reader’s tag must notice');
    proxy.next('get', { do: 'whole' }, 20);
    await assert.rejects(location.getRange(name, 10, 100), (error) => codeOf(error) === 'Integrity');
  });

  it('notices a listing that lies', async () => {
    const location = faulty();
    const under = newName();
    for (const part of [1, 2, 3, 4]) await location.put(`${under}/${part}`, Buffer.alloc(part), { ifAbsent: true });
    const list = async (): Promise<string[]> => (await Array.fromAsync(location.list(`${under}/`))).map(({ name }) => name.slice(-1));
    let page: string | undefined;
    const lies: [string, (body: string) => string, string][] = [
      ['more to come, and no token', (body) => body.replace(/<IsTruncated>false/, '<IsTruncated>true'), 'Unreachable'],
      ['cut in the middle', (body) => body.slice(0, body.length >> 1), 'Unreachable'],
      ['an entry left out', (body) => body.replace(/<Contents>.*?<\/Contents>/s, ''), 'Unreachable'],
      [
        'the same page for ever',
        (body) => (page ??= body.replace(/<IsTruncated>false/, '<NextContinuationToken>again</NextContinuationToken><IsTruncated>true')),
        'Integrity',
      ],
      ['objects of somebody else', (body) => body.replaceAll('<Key>faults/', '<Key>others/'), 'Integrity'],
      ['out of order', (body) => body.replace(/\/1<\/Key>/, '/9</Key>'), 'Integrity'],
      ['no XML', () => 'hello', 'Unreachable'],
    ];
    for (const [what, text, code] of lies) {
      proxy.next('list', { do: 'edit', text }, 50);
      await assert.rejects(list(), (error) => codeOf(error) === code, what);
      proxy.reset();
      if (code !== 'Unreachable') continue;
      proxy.next('list', { do: 'edit', text }, 2);
      assert.deepEqual(await list(), ['1', '2', '3', '4'], `${what}, twice`);
    }
  });

  it('gives up after a bounded number of tries, with the object’s name, a code and a cure', async () => {
    const location = faulty({ patience: { ...quick, idleMs: 1000 } });
    await location.head('warm');
    for (const harm of [{ do: 'cut' }, { do: 'stall', after: 'nothing' }, { do: 'answer', status: 503, code: 'SlowDown' }] as const) {
      proxy.seen = [];
      proxy.next('get', harm, 100);
      await assert.rejects(location.get('o/never', 10), (error: Error) => {
        assert.match(sentenceOf(error), /o\/never in bucket "moves".*\. [A-Z]/);
        return codeOf(error) === 'Unreachable';
      });
      assert.equal(proxy.seen.length, 6);
      proxy.reset();
    }
  });

  it('waits as long as the store asks, but not for ever', async () => {
    const location = faulty({ patience: { ...quick, longestRetryAfterMs: 1000 } });
    const name = newName();
    await location.put(name, Buffer.from('x'), { ifAbsent: true });
    proxy.next('get', { do: 'answer', status: 429, code: 'SlowDown', headers: { 'retry-after': '86400' } });
    const started = performance.now();
    await location.get(name, 1);
    // Without Retry-After it would have been 2 ms; a lower bound holds on any machine.
    assert.ok(performance.now() - started >= 1000);
  });

  it('a signal ends every verb at once, whatever it waits for', { timeout: 80_000 }, async () => {
    const harms: Harm[] = [
      { do: 'stall', after: 'nothing' },
      { do: 'stall', after: 'half' },
      { do: 'answer', status: 429, code: 'SlowDown', headers: { 'retry-after': '3600' } },
    ];
    const name = newName();
    await at().put(name, Buffer.alloc(1000), { ifAbsent: true });
    const works: [Verb, (location: Location, signal: AbortSignal) => Promise<unknown>][] = [
      ['put', async (location, signal) => await location.put(newName(), Buffer.alloc(10), { signal })],
      ['get', async (location, signal) => await location.get(name, 1000, signal)],
      ['list', async (location, signal) => await Array.fromAsync(location.list('', signal))],
      ['delete', async (location, signal) => await location.delete(newName(), signal)],
    ];
    for (const harm of harms)
      for (const [verb, work] of works) {
        if (harm.do === 'stall' && harm.after === 'half' && (verb === 'put' || verb === 'delete')) continue; // their answers have no body
        // In earnest: a minute without an answer, an hour of Retry-After.
        const location = faulty({ patience: {} });
        const stop = new AbortController();
        proxy.next(verb, harm, 100);
        const ended = work(location, stop.signal);
        while (!proxy.seen.includes(verb)) await new Promise((resolve) => setTimeout(resolve, 5));
        setTimeout(() => stop.abort(), 20);
        await assert.rejects(ended, (error) => codeOf(error) === 'Canceled');
        proxy.reset();
      }
  });

  it('does not take requests that wait for a free connection for dead ones', { timeout: 80_000 }, async () => {
    const location = faulty({ patience: { ...quick, connectMs: 300, idleMs: 5000 } });
    const name = newName();
    await location.put(name, Buffer.alloc(10), { ifAbsent: true });
    proxy.seen = [];
    proxy.otherwise = () => ({ do: 'slow', ms: 30 });
    await Promise.all(Array.from({ length: 40 }, async () => await location.get(name, 10)));
    assert.equal(proxy.seen.length, 40);
  });

  it('says what is wrong with bucket, keys, region, host and port, and never a secret', { timeout: 120_000 }, async () => {
    const secret = 'canary-secret-value';
    const port = await freePort();
    const cases: [string, Location, string, RegExp][] = [
      ['bucket', at({ bucket: 'missing-bucket' }), 'NotFound', /Bucket "missing-bucket" does not exist at http.* Create it/],
      ['secret key', at({ secret }), 'Unauthorized', /credentials are not accepted.*secret key/],
      ['port', at({ endpoint: `http://127.0.0.1:${port}` }), 'Unreachable', /cannot be reached.*Check host and port/],
      ['host', at({ endpoint: 'http://no-such-host.invalid', secret }), 'Unreachable', /host name of .* does not resolve/],
      ['TLS', at({ endpoint: server.endpoint.replace('http:', 'https:') }), 'Unreachable', /does not speak TLS.*http:/],
    ];
    for (const [what, location, code, says] of cases) {
      await assert.rejects(probeLocation(location), (error: Error) => {
        assert.equal(codeOf(error), code, `${what}: ${sentenceOf(error)}`);
        assert.match(sentenceOf(error), says);
        noSecret(error, [secret, server.secretAccessKey]);
        return true;
      });
      await location.close();
    }
    const elsewhere = at({ region: 'eu-south-9' });
    const said = await probeLocation(elsewhere).then(
      () => 'taken', // some servers do not mind
      (error: Error) => sentenceOf(error),
    );
    assert.match(said, /taken|not in the region eu-south-9.*--s3-region/);
    await elsewhere.close();
  });

  it('says what the store says in its own codes', async () => {
    const said: [number, string, Record<string, string>, string, RegExp][] = [
      [301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-north-1' }, 'InvalidInput', /Give the region eu-north-1/],
      [400, 'ExpiredToken', {}, 'Unauthorized', /session token has expired.*new temporary credentials/],
      [403, 'InvalidAccessKeyId', {}, 'Unauthorized', /Check the access key/],
      [403, 'AccessDenied', {}, 'Forbidden', /s3:GetObject/],
      [507, 'XMinioStorageFull', {}, 'NoSpace', /is full/],
    ];
    for (const [status, code, headers, expected, says] of said) {
      const location = faulty();
      proxy.next('get', { do: 'answer', status, code, headers }, 20);
      await assert.rejects(location.get('o/x', 1), (error: Error) => codeOf(error) === expected && says.test(sentenceOf(error)), code);
      proxy.reset();
    }
    const late = faulty();
    proxy.next('get', { do: 'answer', status: 403, code: 'RequestTimeTooSkewed', headers: { date: 'Mon, 01 Jan 2001 00:00:00 GMT' } }, 20);
    await assert.rejects(late.get('o/x', 1), (error: Error) => codeOf(error) === 'Unauthorized' && /clock.*NTP/.test(sentenceOf(error)));
  });
}

function noSecret(error: unknown, secrets: string[]): void {
  const seen: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) seen.push(JSON.stringify(at, Object.getOwnPropertyNames(at)));
  for (const secret of secrets) assert.ok(!seen.join('\n').includes(secret));
}
