import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { inspect } from 'node:util';
import { TranshipError } from '../errors.ts';
import { fakeServer, failure, json } from './fake-server.fixture.ts';
import type { KubeClient } from './kube.ts';

/** A CONNECT proxy that wants a password, and a client that goes through it. */
async function through(t: TestContext, userInfo: string): Promise<{ kube: KubeClient; asked: string[] }> {
  const server = await fakeServer((request, response) =>
    request.url === '/version'
      ? json(response, 200, { gitVersion: 'v1.36.3', major: '1', minor: '36' })
      : failure(response, 403, 'Forbidden'),
  );
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer().on('connect', (request, socket: Socket) => {
    sockets.add(socket.on('error', () => undefined));
    asked.push(request.url ?? '');
    if (request.headers['proxy-authorization'] !== `Basic ${Buffer.from('me:canary/1').toString('base64')}`) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const onward = connect(server.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  t.after(async () => {
    await server.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
  const url = new URL(`http://${userInfo}@127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  // The name resolves nowhere here: only the proxy can reach it.
  return { kube: server.open({}, { proxy: () => url, server: 'https://inside.invalid:6443', tlsServerName: 'localhost' }), asked };
}

describe('proxy-url', { timeout: 120_000 }, () => {
  it('is tunnelled through by calls and by sessions', async (t) => {
    const { kube, asked } = await through(t, 'me:canary%2F1');
    assert.equal((await kube.version()).minor, 36);
    await assert.rejects(
      kube.exec({ namespace: 'a', pod: 'b', command: ['c'] }),
      (error) => error instanceof TranshipError && error.code === 'Forbidden',
    );
    assert.deepEqual(asked, ['inside.invalid:6443', 'inside.invalid:6443']);
  });

  it('that refuses is named without its password', async (t) => {
    const { kube } = await through(t, 'me:canary-wrong');
    for (const call of [kube.version(), kube.exec({ namespace: 'a', pod: 'b', command: ['c'] })]) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof TranshipError);
        assert.match(error.message, /The proxy 127\.0\.0\.1:\d+ refused to connect to inside\.invalid:6443 \(HTTP 407\)/);
        assert.doesNotMatch(inspect(error, { depth: 9 }), /canary/);
        return true;
      });
    }
  });
});
