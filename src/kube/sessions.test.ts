/** exec and port-forward against a WebSocket server that speaks the protocol, badly when asked. The real one: e2e/nodes/exec.test.ts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { TranshipError, codeOf } from '../errors.ts';
import { asBuffer } from './exec.ts';
import { fakeServer, failure } from './fake-server.fixture.ts';
import type { KubeClient } from './kube.ts';

type Session = (ws: WebSocket, url: URL) => void | Promise<void>;

async function serve(t: TestContext, session: Session, protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']): Promise<KubeClient> {
  const server = await fakeServer((_request, response) => failure(response, 403, 'Forbidden', 'pods "a" is forbidden'));
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1 << 26,
    handleProtocols: (offered) => protocols.find((one) => offered.has(one)) ?? false,
  });
  server.server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => undefined);
      void session(ws, new URL(request.url ?? '', 'https://x'));
    }),
  );
  t.after(async () => {
    for (const ws of sockets.clients) ws.terminate();
    await server.close();
  });
  return server.open();
}

const target = { namespace: 'shop', pod: 'a', command: ['sh', '-c', 'echo "$1" & wait', 'ü'] };

function send(ws: WebSocket, channel: number, content: string | Buffer): Promise<void> {
  return new Promise((resolve) => ws.send(Buffer.concat([Buffer.of(channel), Buffer.from(content)]), () => resolve()));
}

const success = JSON.stringify({ kind: 'Status', status: 'Success', metadata: {} });
const failed = (code: number): string =>
  JSON.stringify({
    kind: 'Status',
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with exit code ${code}`,
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  });

describe('exec', { timeout: 120_000 }, () => {
  it('passes the command word by word, keeps the channels apart and gives the exit code', async (t) => {
    let asked: URL | undefined;
    const kube = await serve(t, async (ws, url) => {
      asked = url;
      for (const channel of [0, 1, 2, 3]) await send(ws, channel, '');
      await send(ws, 1, 'out 1,');
      await send(ws, 2, 'err');
      await send(ws, 1, 'out 2');
      await send(ws, 3, failed(42));
      ws.close();
    });
    const session = await kube.exec({ ...target, container: 'main' });
    const [out, err, exit] = await Promise.all([text(session.stdout), text(session.stderr), session.exit]);
    assert.deepEqual([out, err, exit.code], ['out 1,out 2', 'err', 42]);
    assert.deepEqual(asked?.searchParams.getAll('command'), target.command);
    assert.equal(asked?.pathname, '/api/v1/namespaces/shop/pods/a/exec');
    assert.equal(asked?.searchParams.get('stdin'), null);
    assert.equal(asked?.searchParams.get('container'), 'main');
  });

  it('sends input whole and ends it by the close message', async (t) => {
    const parts: Buffer[] = [];
    const kube = await serve(t, (ws) => {
      ws.on('message', (data: RawData) => {
        const bytes = asBuffer(data);
        if (bytes[0] === 0) {
          parts.push(bytes.subarray(1));
          return;
        }
        assert.deepEqual([...bytes], [255, 0]);
        const count = parts.reduce((sum, part) => sum + part.length, 0);
        void send(ws, 1, String(count)).then(() => send(ws, 3, success));
      });
    });
    const session = await kube.exec({ ...target, stdin: true });
    session.stderr.resume();
    const input = Buffer.from(Array.from({ length: 5_000_001 }, (_, index) => index % 251));
    const [, out, exit] = await Promise.all([
      pipeline(Readable.from([input.subarray(0, 100_000), input.subarray(100_000)]), session.stdin),
      text(session.stdout),
      session.exit,
    ]);
    assert.equal(out, '5000001');
    assert.equal(exit.code, 0);
    assert.ok(Buffer.concat(parts).equals(input));
  });

  it('stops the sender while output is not read, and loses nothing', async (t) => {
    const piece = Buffer.alloc(64 * 1024, 'x');
    const pieces = 1_000;
    let sent = 0;
    const kube = await serve(t, async (ws) => {
      for (; sent < pieces; sent++) await send(ws, 1, piece);
      await send(ws, 3, success);
    });
    const session = await kube.exec(target);
    session.stderr.resume();
    // The sender is stuck when it made no step during 50 round trips.
    for (let quiet = 0, before = -1; quiet < 50; quiet = before === sent ? quiet + 1 : 0) {
      before = sent;
      await assert.rejects(kube.version());
    }
    assert.ok(sent < pieces, `${sent} pieces were taken without a reader`);
    assert.equal((await buffer(session.stdout)).length, pieces * piece.length);
    assert.equal((await session.exit).code, 0);
  });

  it('lets a writer wait while input is not taken', async (t) => {
    const kube = await serve(t, (ws) => ws.pause());
    const session = await kube.exec({ ...target, stdin: true });
    let written = 0;
    const piece = Buffer.alloc(256 * 1024);
    while (
      session.stdin.write(piece) ||
      (await Promise.race([once(session.stdin, 'drain'), kube.version().catch(() => 'still full')])) !== 'still full'
    ) {
      written += piece.length;
      assert.ok(written < 200_000_000, 'nothing ever stopped the writer');
    }
    session.close();
    await assert.rejects(session.exit, (error) => codeOf(error) === 'Canceled');
  });

  it('tells a cut connection from an exit', async (t) => {
    const kube = await serve(t, async (ws) => {
      await send(ws, 1, 'half');
      ws.terminate();
    });
    const session = await kube.exec(target);
    await assert.rejects(
      session.exit,
      (error) => error instanceof TranshipError && error.code === 'Unreachable' && /unknown outcome/.test(error.message),
    );
    await assert.rejects(text(session.stdout));
  });

  it('ends by abort, also of sessions that wait', async (t) => {
    const closed = Promise.withResolvers<void>();
    const kube = await serve(t, (ws) => void ws.on('close', () => closed.resolve()));
    const stop = new AbortController();
    const session = await kube.exec({ ...target, stdin: true }, { signal: stop.signal });
    stop.abort();
    await assert.rejects(session.exit, (error) => codeOf(error) === 'Canceled');
    await assert.rejects(pipeline(session.stdout, new Writable({ write: (_chunk, _encoding, done) => done() })));
    await closed.promise;
  });

  it('passes on what the server says against it', async (t) => {
    const closed = Promise.withResolvers<void>();
    const server = await fakeServer((_request, response, socket) => {
      socket.on('close', () => closed.resolve());
      failure(response, 404, 'NotFound', 'pods "a" not found', { name: 'a', kind: 'pods' });
    });
    t.after(() => server.close());
    await assert.rejects(
      server.open().exec(target),
      (error) => error instanceof TranshipError && error.code === 'NotFound' && /pods "a" not found/.test(error.message),
    );
    // Left open, the refused connection kept the process alive for 90 s.
    await closed.promise;
    const kube = await serve(t, (ws) =>
      send(ws, 3, JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'InternalError', message: 'no such program: x' })),
    );
    await assert.rejects((await kube.exec(target)).exit, /no such program: x/);
  });

  it('refuses input where its end cannot be told', async (t) => {
    const kube = await serve(t, () => undefined, ['v4.channel.k8s.io']);
    await assert.rejects(kube.exec({ ...target, stdin: true }), (error) => codeOf(error) === 'Unsupported');
    (await kube.exec(target)).close();
  });
});

describe('portForward', { timeout: 120_000 }, () => {
  const greeting = (ws: WebSocket): Promise<unknown> => Promise.all([0, 1].map((channel) => send(ws, channel, Buffer.of(0x90, 0x1f))));

  it('carries bytes both ways without the greeting', async (t) => {
    const kube = await serve(t, async (ws, url) => {
      assert.equal(url.searchParams.get('ports'), '8080');
      await greeting(ws);
      ws.on('message', (data: RawData) => {
        const content = asBuffer(data).subarray(1).toString();
        void send(ws, 0, content.toUpperCase()).then(() => ws.close());
      });
    });
    const stream = await kube.portForward({ namespace: 'shop', pod: 'a', port: 8080 });
    stream.write('hello');
    assert.equal(await text(stream), 'HELLO');
  });

  it('fails with the words of the node', async (t) => {
    const kube = await serve(t, async (ws) => {
      await greeting(ws);
      await send(ws, 1, 'error forwarding port 8080: connection refused');
    });
    const stream = await kube.portForward({ namespace: 'shop', pod: 'a', port: 8080 });
    await assert.rejects(text(stream), /connection refused/);
  });
});
