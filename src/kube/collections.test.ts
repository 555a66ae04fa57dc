import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { fakeServer, failure, json } from './fake-server.fixture.ts';
import type { Answer, FakeServer, Seen } from './fake-server.fixture.ts';
import type { KubeClient, WatchEvent } from './kube.ts';
import { configMaps } from './resources.ts';

async function serve(t: TestContext, answer: Answer): Promise<FakeServer> {
  const server = await fakeServer(answer);
  t.after(() => server.close());
  return server;
}

function map(name: string, resourceVersion: string, uid = name) {
  return { metadata: { name, namespace: 'shop', resourceVersion, uid } };
}

function page(items: object[], resourceVersion: string, next?: string): object {
  return { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion, ...(next !== undefined && { continue: next }) }, items };
}

function query(request: Seen): URLSearchParams {
  return new URL(request.url, 'https://x').searchParams;
}

async function names(objects: AsyncIterable<KubeObject>): Promise<string[]> {
  const found: string[] = [];
  for await (const object of objects) found.push(`${object.kind} ${object.metadata.name} ${object.metadata.resourceVersion}`);
  return found;
}

describe('list', { timeout: 120_000 }, () => {
  it('goes from page to page and gives items their kind', async (t) => {
    const server = await serve(t, (request, response) =>
      json(
        response,
        200,
        query(request).has('continue') ? page([map('c', '3')], '9') : page([map('a', '1'), map('b', '2')], '9', 'to/ken='),
      ),
    );
    assert.deepEqual(await names(server.open().list(configMaps, { namespace: 'shop', limit: 2, labelSelector: 'a in (b,c)' })), [
      'ConfigMap a 1',
      'ConfigMap b 2',
      'ConfigMap c 3',
    ]);
    assert.equal(query(server.seen[0] ?? assert.fail()).get('labelSelector'), 'a in (b,c)');
    assert.equal(query(server.seen[1] ?? assert.fail()).get('continue'), 'to/ken=');
    assert.equal(query(server.seen[1] ?? assert.fail()).get('labelSelector'), 'a in (b,c)');
  });

  it('starts again without doubles when the server forgot the moment in between', async (t) => {
    let expired = false;
    const server = await serve(t, (request, response) => {
      const from = query(request).get('continue');
      if (from === 'two' && !expired) {
        expired = true;
        failure(response, 410, 'Expired');
      } else if (from === null)
        json(response, 200, page(expired ? [map('a', '1'), map('b', '12')] : [map('a', '1'), map('b', '2')], '9', 'two'));
      else json(response, 200, page([map('c', '3')], '9'));
    });
    assert.deepEqual(await names(server.open().list(configMaps)), ['ConfigMap a 1', 'ConfigMap b 2', 'ConfigMap c 3']);
  });

  it('fails when it expires for ever, and takes a list without items', async (t) => {
    let empty = false;
    const server = await serve(t, (request, response) => {
      if (empty) json(response, 200, { metadata: { resourceVersion: '1' }, items: null });
      else if (query(request).has('continue')) failure(response, 410, 'Expired');
      else json(response, 200, page([map('a', '1')], '9', 'x'));
    });
    await assert.rejects(names(server.open().list(configMaps)), (error) => error instanceof TranshipError && error.code === 'Conflict');
    empty = true;
    assert.deepEqual(await names(server.open().list(configMaps)), []);
  });
});

/** A server with a scripted list and scripted watches; a watch without a script stays open and silent. */
function scripted(lists: object[], watches: ((response: ServerResponse) => void | Promise<void>)[]): Answer {
  return (request, response) => {
    if (query(request).get('watch') === null) return json(response, 200, lists.shift() ?? assert.fail('a list too many'));
    const watch = watches.shift();
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    return watch?.(response);
  };
}

function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

/** Takes `count` events, as `TYPE name version`, then ends the watch. */
async function take(kube: KubeClient, count: number): Promise<string[]> {
  const stop = new AbortController();
  const told: string[] = [];
  const text = ({ type, object: { metadata } }: WatchEvent): string => `${type} ${metadata.name ?? ''} ${metadata.resourceVersion}`;
  for await (const event of kube.watch(configMaps, { signal: stop.signal })) {
    if (told.push(text(event)) === count) stop.abort();
  }
  return told;
}

describe('watch', { timeout: 120_000 }, () => {
  it('lists, says that it is complete, and takes lines cut anywhere, also inside a character', async (t) => {
    const bytes = Buffer.from(line('ADDED', { ...map('ünïcode-🚀', '11') }) + line('MODIFIED', map('a', '12')));
    const server = await serve(
      t,
      scripted(
        [page([map('a', '1')], '10')],
        [
          async (response) => {
            for (const byte of bytes) {
              response.write(Buffer.of(byte));
              await new Promise(setImmediate);
            }
          },
        ],
      ),
    );
    assert.deepEqual(await take(server.open(), 4), ['ADDED a 1', 'BOOKMARK  10', 'ADDED ünïcode-🚀 11', 'MODIFIED a 12']);
    const asked = query(server.seen[1] ?? assert.fail());
    assert.equal(asked.get('resourceVersion'), '10');
    assert.equal(asked.get('allowWatchBookmarks'), 'true');
  });

  it('goes on where it was after cut connections, half lines and refusals', async (t) => {
    const server = await serve(
      t,
      scripted(
        [page([], '10')],
        [
          (response) => void response.write(line('ADDED', map('a', '11')), () => response.destroy()),
          (response) =>
            void response.write(line('BOOKMARK', { metadata: { resourceVersion: '20' } }) + '{"type":"ADD', () => response.destroy()),
          (response) => void response.end(line('ADDED', map('b', '21'))),
          (response) => void response.write(line('DELETED', map('a', '22'))),
        ],
      ),
    );
    assert.deepEqual(await take(server.open(), 5), ['BOOKMARK  10', 'ADDED a 11', 'BOOKMARK  20', 'ADDED b 21', 'DELETED a 22']);
    assert.deepEqual(
      server.seen.slice(1).map((one) => query(one).get('resourceVersion')),
      ['10', '11', '20', '21'],
    );
  });

  const ends: Record<string, string> = {
    'an event': line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }),
    'a garbled line': '{"type":}\n',
  };
  for (const [how, end] of Object.entries(ends)) {
    it(`outlives ${how}`, async (t) => {
      const lists = [
        page([map('a', '1'), map('b', '2'), map('c', '3'), map('d', '4')], '10'),
        page([map('a', '1'), map('b', '12'), map('c', '13', 'other')], '20'),
      ];
      const server = await serve(
        t,
        scripted(lists, [(response) => void response.end(end), (response) => void response.write(line('ADDED', map('z', '30')))]),
      );
      const told = await take(server.open(), how === 'an event' ? 11 : 6);
      assert.deepEqual(told.slice(0, 5), ['ADDED a 1', 'ADDED b 2', 'ADDED c 3', 'ADDED d 4', 'BOOKMARK  10']);
      // After 410: what is gone, what changed, what was made again under its name; nothing about what stayed.
      const relisted = ['DELETED d 4', 'MODIFIED b 12', 'DELETED c 3', 'ADDED c 13', 'BOOKMARK  20', 'ADDED z 30'];
      assert.deepEqual(told.slice(5), how === 'an event' ? relisted : ['ADDED z 30']);
    });
  }

  it('lists again when the watch itself is answered with 410', async (t) => {
    let watches = 0;
    let lists = 0;
    const server = await serve(t, (request, response) => {
      if (query(request).get('watch') === null) json(response, 200, page([map('a', '1')], String(++lists * 10)));
      else if (++watches === 1) failure(response, 410, 'Expired');
      else response.writeHead(200).write(line('MODIFIED', map('a', '21')));
    });
    assert.deepEqual(await take(server.open(), 4), ['ADDED a 1', 'BOOKMARK  10', 'BOOKMARK  20', 'MODIFIED a 21']);
  });

  it('fails at once when it may not list', async (t) => {
    const server = await serve(t, (_request, response) => failure(response, 403, 'Forbidden'));
    await assert.rejects(take(server.open(), 1), (error) => error instanceof TranshipError && error.code === 'Forbidden');
  });

  it('ends, with its connection, when the reader leaves or the client is closed', async (t) => {
    const open = new Set<ServerResponse>();
    const closed = Promise.withResolvers<void>();
    const server = await serve(
      t,
      scripted(
        [page([map('a', '1')], '10'), page([map('a', '1')], '10')],
        [
          (response) => {
            open.add(response.on('close', closed.resolve));
            response.write(line('ADDED', map('b', '11')));
          },
        ],
      ),
    );
    const kube = server.open();
    for await (const { object } of kube.watch(configMaps, { signal: new AbortController().signal }))
      if (object.metadata.name === 'b') break;
    await closed.promise;
    const rest = take(kube, 99);
    await new Promise(setImmediate);
    await kube.close();
    assert.ok((await rest).length <= 2);
  });

  it('stops reading the network while nobody takes events', async (t) => {
    let sent = 0;
    let wire: Socket | undefined;
    const fat = line('ADDED', { ...map('a', '11'), data: { x: 'x'.repeat(1_000_000) } });
    const server = await serve(t, async (request, response, socket) => {
      if (request.url === '/version') return json(response, 200, {});
      if (query(request).get('watch') === null) return json(response, 200, page([], '10'));
      wire = socket;
      for (response.writeHead(200); sent < 300 && !response.destroyed; sent++) {
        if (!response.write(fat)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
    });
    const stop = new AbortController();
    const kube = server.open();
    const events = kube.watch(configMaps, { signal: stop.signal })[Symbol.asyncIterator]();
    await events.next();
    await events.next();
    // Quiet when nothing more went out during 50 round trips: either the reader stopped, or all was sent.
    for (let quiet = 0, before = -1; quiet < 50; quiet = before === wire?.bytesWritten ? quiet + 1 : 0) {
      before = wire?.bytesWritten ?? -1;
      await kube.version();
    }
    assert.ok(sent < 300, `${sent} MB were taken without a reader`);
    stop.abort();
    await events.return?.();
  });
});
