import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { TranshipError } from '../errors.ts';
import { createAuthority } from '../../testbed/node/x509.ts';
import { fakeServer, failure, json } from './fake-server.fixture.ts';
import type { Answer, FakeServer } from './fake-server.fixture.ts';
import { kubeDetails } from './failures.ts';
import { clusterRoles, configMaps, pods } from './resources.ts';

const MAP = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } };

async function serve(t: TestContext, answer: Answer, options?: Parameters<typeof fakeServer>[1]): Promise<FakeServer> {
  const server = await fakeServer(answer, options);
  t.after(() => server.close());
  return server;
}

/** Runs a call that must fail, and gives its error, checked for the token. */
async function failureOf(call: Promise<unknown>): Promise<TranshipError> {
  const error = await call.then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TranshipError, inspect(error));
  assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /canary/);
  return error;
}

describe('calls', { timeout: 240_000 }, () => {
  it('send names as they are, and come back with every field', async (t) => {
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'team:AdminRole' },
      brandNew: { deep: [1] },
    };
    const server = await serve(t, (_request, response) => json(response, 200, role));
    assert.deepEqual(await server.open().get(clusterRoles, 'team:AdminRole'), role);
    assert.equal(server.seen[0]?.url, '/apis/rbac.authorization.k8s.io/v1/clusterroles/team%3AAdminRole');
    assert.equal(server.seen[0]?.headers.authorization, 'Bearer canary-token');
  });

  it('share one connection when they come one after the other, and no more than allowed at once', async (t) => {
    const server = await serve(t, (_request, response) => json(response, 200, MAP));
    const kube = server.open({ connections: 3 });
    for (let n = 0; n < 50; n++) await kube.get(configMaps, 'a', 'shop');
    // The pool may open a second one while the first is still being put back.
    assert.ok(server.connections() <= 2, String(server.connections()));
    await Promise.all(Array.from({ length: 60 }, () => kube.get(configMaps, 'a', 'shop')));
    assert.equal(server.connections(), 3);
  });

  it('wait as long as a server asks that turned them away, also a create', async (t) => {
    let times = 0;
    const server = await serve(t, (_request, response) => {
      if (++times < 4) failure(response, times === 2 ? 503 : 429, 'TooManyRequests', 'slow down', {}, { 'retry-after': '0' });
      else json(response, 201, MAP);
    });
    await server.open().create(configMaps, MAP);
    assert.equal(server.seen.length, 4);
    assert.equal(new Set(server.seen.map((one) => one.body)).size, 1);
  });

  it('repeat a read after a cut connection', async (t) => {
    let times = 0;
    const server = await serve(t, (_request, response, socket) => {
      if (++times === 1) socket.destroy();
      else if (times === 2) {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"half":', () => socket.destroy());
      } else json(response, 200, MAP);
    });
    assert.deepEqual(await server.open().get(configMaps, 'a', 'shop'), MAP);
    assert.equal(times, 3);
  });

  it('never repeat a create that was cut: its outcome is unknown, and the error says so', async (t) => {
    const server = await serve(t, (_request, _response, socket) => void socket.destroy());
    const kube = server.open();
    for (const call of [
      kube.create(configMaps, MAP),
      kube.replace(configMaps, MAP),
      kube.delete(configMaps, 'a', 'shop'),
      kube.patch(configMaps, 'a', 'shop', { type: 'json', body: [] }),
    ]) {
      const error = await failureOf(call);
      assert.equal(error.code, 'Unreachable');
      assert.match(error.message, /unknown outcome/);
      assert.equal(kubeDetails(error)?.outcome, 'unknown');
    }
    assert.equal(server.seen.length, 4);
  });

  it('repeat writes that are the same when done twice', async (t) => {
    let times = 0;
    const server = await serve(t, (_request, response, socket) => {
      if (++times % 2 === 1) socket.destroy();
      else json(response, 200, MAP);
    });
    const kube = server.open();
    await kube.apply(configMaps, MAP, { fieldManager: 'tranship' });
    await kube.delete(configMaps, 'a', 'shop', { uid: 'u1' });
    await kube.patch(configMaps, 'a', 'shop', { type: 'merge', body: { data: { a: 'b' } } });
    await kube.create(configMaps, MAP, { dryRun: true });
    assert.equal(server.seen.length, 8);
  });

  it('end at their deadline, and say for a write that its outcome is unknown', async (t) => {
    const server = await serve(t, () => undefined);
    const kube = server.open();
    const read = await failureOf(kube.get(configMaps, 'a', 'shop', { timeoutMs: 50 }));
    assert.equal(read.code, 'TimedOut');
    assert.doesNotMatch(read.message, /unknown/);
    const write = await failureOf(kube.create(configMaps, MAP, { timeoutMs: 50 }));
    assert.equal(write.code, 'TimedOut');
    assert.equal(kubeDetails(write)?.outcome, 'unknown');
  });

  it('stop when the caller says so, also while they wait to try again', async (t) => {
    const stop = new AbortController();
    const server = await serve(t, (_request, response) => {
      failure(response, 429, 'TooManyRequests', 'slow down', {}, { 'retry-after': '50' });
      response.on('close', () => stop.abort());
    });
    const error = await failureOf(server.open().get(configMaps, 'a', 'shop', { signal: stop.signal }));
    assert.equal(error.code, 'Canceled');
    assert.equal(server.seen.length, 1);
  });

  it('ask for a new credential after 401, once', async (t) => {
    const server = await serve(t, (request, response) =>
      request.headers.authorization === 'Bearer new' ? json(response, 200, MAP) : failure(response, 401, 'Unauthorized'),
    );
    let token = 'canary-old';
    let refusals = 0;
    const credentials = { current: async () => ({ token }), refused: () => (refusals++, (token = 'new'), true) };
    assert.deepEqual(await server.open({}, { credentials }).get(configMaps, 'a', 'shop'), MAP);
    assert.equal(refusals, 1);
    const stubborn = { current: async () => ({ token: 'canary-old' }), refused: () => true };
    const error = await failureOf(server.open({}, { credentials: stubborn }).get(configMaps, 'a', 'shop'));
    assert.equal(error.code, 'Unauthorized');
    assert.equal(server.seen.length, 4);
  });

  it('collect warnings once', async (t) => {
    const warning = '299 - "v1 \\"Old\\" is deprecated", 299 - "another"';
    const server = await serve(t, (_request, response) => json(response, 200, MAP, { warning }));
    const kube = server.open();
    await kube.get(configMaps, 'a', 'shop');
    await kube.get(configMaps, 'a', 'shop');
    assert.deepEqual(kube.takeWarnings(), ['v1 "Old" is deprecated', 'another']);
    assert.deepEqual(kube.takeWarnings(), []);
  });

  it('send who is impersonated, each group by itself', async (t) => {
    const server = await serve(t, (_request, response) => json(response, 200, MAP));
    const impersonate = { user: 'ann', groups: ['dev', 'ops'], extra: { 'acme.io/team': ['x'] } };
    await server.open({}, { impersonate }).get(configMaps, 'a', 'shop');
    const { headers } = server.seen[0] ?? assert.fail();
    assert.equal(headers['impersonate-user'], 'ann');
    assert.equal(headers['impersonate-group'], 'dev, ops'); // node joins what came as two header lines
    assert.equal(headers['impersonate-extra-acme.io%2fteam'], 'x');
  });
});

describe('refusals', { timeout: 240_000 }, () => {
  const cases: [number, string, object, string, RegExp][] = [
    [401, 'Unauthorized', {}, 'Unauthorized', /refused to get/],
    [403, 'Forbidden', {}, 'Forbidden', /Cluster fake refused to get Pod shop\/a: because/],
    [409, 'Conflict', {}, 'Conflict', /because/],
    [422, 'Invalid', { causes: [{ field: 'spec.x', reason: 'FieldValueInvalid', message: 'bad' }] }, 'InvalidInput', /because/],
    [500, 'InternalError', {}, 'Unreachable', /failed to get/],
    [504, 'Timeout', {}, 'TimedOut', /because/],
  ];
  for (const [status, reason, details, code, words] of cases) {
    it(`${status} is ${code}`, async (t) => {
      const server = await serve(t, (_request, response) => failure(response, status, reason, 'because', details));
      const error = await failureOf(server.open().get(pods, 'a', 'shop'));
      assert.equal(error.code, code);
      assert.match(error.message, words);
      const { about: _about, ...told } = kubeDetails(error) ?? {};
      assert.deepEqual(told, { status, reason, ...details });
    });
  }

  it('tell an object that is not there from a resource that is not served', async (t) => {
    const server = await serve(t, (request, response) => {
      if (request.url.includes('/gone/')) response.writeHead(404).end('404 page not found\n');
      else failure(response, 404, 'NotFound', 'pods "a" not found', { name: 'a', kind: 'pods' });
    });
    const kube = server.open();
    assert.equal(await kube.get(pods, 'a', 'shop'), undefined);
    assert.equal(await kube.delete(pods, 'a', 'shop'), false);
    const error = await failureOf(kube.get({ ...pods, group: 'gone', version: 'v1' }, 'a', 'shop'));
    assert.equal(error.code, 'NotFound');
    assert.equal(kubeDetails(error)?.reason, 'NotServed');
  });

  it('are readable when a proxy answers with a page', async (t) => {
    const server = await serve(t, (_request, response) => void response.writeHead(403).end('<html>blocked</html>'));
    const error = await failureOf(server.open().get(pods, 'a', 'shop'));
    assert.equal(error.message, 'Cluster fake refused to get Pod shop/a: HTTP 403.');
  });

  it('never address something else than what was named', async (t) => {
    const server = await serve(t, (_request, response) => json(response, 200, {}));
    const kube = server.open();
    assert.equal((await failureOf(kube.replace(configMaps, { ...MAP, metadata: { name: '..', namespace: 'shop' } }))).code, 'InvalidInput');
    assert.equal((await failureOf(kube.delete(configMaps, '', 'shop'))).code, 'InvalidInput');
    assert.equal((await failureOf(kube.delete(configMaps, 'a'))).code, 'InvalidInput');
    await kube.get(configMaps, '../secrets/b?x', 'shop');
    assert.deepEqual(
      server.seen.map((one) => one.url),
      ['/api/v1/namespaces/shop/configmaps/..%2Fsecrets%2Fb%3Fx'],
    );
  });
});

describe('connections', { timeout: 240_000 }, () => {
  it('to a wrong certificate or name say what is wrong with it', async (t) => {
    const server = await serve(t, (_request, response) => json(response, 200, {}), { names: ['other.example'] });
    const strange = await failureOf(server.open({}, { ca: createAuthority('another CA').certificate }).version());
    assert.match(
      strange.message,
      /is not trusted: its certificate is (signed by a CA that the context does not name|not signed by the CA)/,
    );
    const misnamed = await failureOf(server.open().version());
    assert.match(misnamed.message, /certificate is for another name/);
    assert.match(misnamed.hint ?? '', /tls-server-name/);
    await server.open({}, { tlsServerName: 'other.example' }).version();
    await server.open({}, { insecureSkipTlsVerify: true }).version();
  });

  it('to nothing, and to something that is no TLS server, name server and context', async (t) => {
    const mute = createServer(
      (socket) =>
        void socket
          .on('error', () => undefined)
          .resume()
          .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    mute.listen(0, '127.0.0.1');
    await new Promise((resolve) => mute.once('listening', resolve));
    const { port } = mute.address() as AddressInfo;
    const server = await serve(t, () => undefined);
    const plain = await failureOf(server.open({}, { server: `https://127.0.0.1:${port}` }).version());
    assert.match(plain.message, /does not speak TLS/);
    await new Promise((resolve) => mute.close(resolve));
    const refused = await failureOf(server.open({ name: 'old' }, { server: `https://127.0.0.1:${port}` }).create(configMaps, MAP));
    assert.equal(refused.code, 'Unreachable');
    assert.equal(refused.message, `The cluster at https://127.0.0.1:${port} (context old) does not answer: nothing listens there.`);
    assert.equal(kubeDetails(refused)?.outcome, undefined);
    const unknown = await failureOf(server.open({}, { server: 'https://no-such-host.invalid' }).version());
    assert.match(unknown.message, /host name (is not known|could not be looked up)/);
  });

  it('go below a path that the server address has', async (t) => {
    const server = await serve(t, (_request, response) => json(response, 200, { major: '1', minor: '30+', gitVersion: 'v1.30.1-eks' }));
    const kube = server.open({}, { server: `https://127.0.0.1:${server.port}/k8s/clusters/c-1` });
    assert.deepEqual(await kube.version(), { gitVersion: 'v1.30.1-eks', major: 1, minor: 30 });
    assert.equal(server.seen[0]?.url, '/k8s/clusters/c-1/version');
  });

  it('are no reason for the process to live after close, and calls are refused', async (t) => {
    const server = await serve(t, (_request, response) => json(response, 200, {}));
    const kube = server.open();
    await kube.version();
    await kube.close();
    await kube.close();
    assert.match((await failureOf(kube.version())).message, /client was closed/);
  });
});
